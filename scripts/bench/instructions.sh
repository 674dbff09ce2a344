#!/bin/bash
# Instructions that each stage of the native kernels takes, to compare commits without the noise of time: callgrind
# on x86-64, a plugin of QEMU's user emulation for ARM64. Prints a Markdown table; takes a minute.
. "$(dirname "$0")/../arm64/common.sh"
is_arm64 && fail 'this counts on x86-64: the ARM64 figures come from QEMU'
need_packages valgrind gcc gcc-aarch64-linux-gnu qemu-user
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources=("$project/native/test/kernels-count.c" "$project"/native/src/{kernels,portable}.c)
# As native/binding.gyp compiles them.
flags=(-std=c11 -O3 -ffp-contract=off -g)
gcc "${flags[@]}" -mavx2 -mfma -c "$project/native/src/avx2.c" -o "$work/avx2.o"
gcc "${flags[@]}" "${sources[@]}" "$work/avx2.o" -lm -o "$work/x64"
aarch64-linux-gnu-gcc "${flags[@]}" -static "${sources[@]}" "$project/native/src/neon.c" -lm -o "$work/arm64"
gcc -O2 -shared -fPIC "$(dirname "$0")/count-instructions.c" -o "$work/plugin.so"

# Of a whole run.
run_x64() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$work/x64" "$@" 2>&1 | sed -n 's/.*Collected : *//p'
}
run_arm64() {
  qemu-aarch64 -plugin "$work/plugin.so" "$work/arm64" "$@" 2>&1 | sed -n 's/^executed //p'
}
# Of one round: what four rounds take more than one, so that making the input does not count.
one_round() {
  local one four
  one=$("$1" "$2" "$3" 1)
  four=$("$1" "$2" "$3" 4)
  [ -n "$one" ] && [ -n "$four" ] || fail "$1 $2 $3: not counted"
  echo $(((four - one) / 3))
}
thousands() { sed -E ':a; s/([0-9])([0-9]{3})(,|$)/\1,\2\3/; ta' <<<"$1"; }

echo '| stage | x64 portable | x64 AVX2 | ARM64 portable | ARM64 NEON |'
echo '| --- | --- | --- | --- | --- |'
for stage in letterbox warp normalise project hamming dot; do
  cells=
  for column in 'run_x64 portable' 'run_x64 avx2' 'run_arm64 portable' 'run_arm64 neon'; do
    read -r run set <<<"$column"
    cells+=" $(thousands "$(one_round "$run" "$set" "$stage")") |"
  done
  echo "| $stage |$cells"
done
