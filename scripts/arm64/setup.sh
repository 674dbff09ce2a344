#!/bin/bash
# What building and running for arm64 takes on this machine: a cross compiler, QEMU user emulation and its
# registration with the kernel. Does nothing where it is there; on an arm64 machine nothing is needed.
. "$(dirname "$0")/common.sh"
is_arm64 && exit 0
take_turn
need_packages qemu-user-static g++-aarch64-linux-gnu
registry=/proc/sys/fs/binfmt_misc
[ -e $registry/register ] || mount -t binfmt_misc binfmt_misc $registry 2>/dev/null || true
if [ -e $registry/register ] && [ ! -e $registry/qemu-aarch64 ]; then
  cat /usr/lib/binfmt.d/qemu-aarch64.conf >$registry/register 2>/dev/null || true
fi
[ -e $registry/qemu-aarch64 ] || say 'the kernel does not let arm64 programs be registered: they are started through qemu-aarch64-static'
