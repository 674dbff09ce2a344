{
  'target_defaults': {
    'defines': ['NAPI_VERSION=8'],
    # No fused multiply-add where the source has none: sums must round alike on every processor.
    'cflags': ['-std=c11', '-Wall', '-Wextra', '-Werror', '-O3', '-ffp-contract=off', '-fvisibility=hidden'],
  },
  'targets': [
    {
      'target_name': 'doorkeep',
      'sources': [
        'src/addon.c', 'src/arguments.c', 'src/kernels.c', 'src/memory.c', 'src/portable.c', 'src/process.c',
        'src/v4l2.c', 'src/v4l2-addon.c', 'src/v4l2-buffers.c', 'src/v4l2-device.c', 'src/v4l2-look.c',
      ],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['avx2']}],
        ['target_arch=="arm64"', {'sources': ['src/neon.c']}],
      ],
    },
    {
      # A program of its own: it outlives the agent, for as long as it takes to let go of the door.
      'target_name': 'relay-holder',
      'type': 'executable',
      'sources': ['src/relay-holder.c', 'src/relay-look.c'],
      # The linker is that of C++, of which nothing is used.
      'ldflags': ['-Wl,--as-needed'],
    },
  ],
  'conditions': [
    # A library of its own, because only its code may use what not every x86-64 processor has.
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'avx2',
          'type': 'static_library',
          'sources': ['src/avx2.c'],
          'cflags': ['-fPIC', '-mavx2', '-mfma'],
        },
      ],
    }],
  ],
}
