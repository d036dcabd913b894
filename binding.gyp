{
  "variables": {
    "werror%": "<!(node -p \"process.env.ZEROWIRE_WERROR ? 1 : 0\")",
  },
  "targets": [
    {
      "target_name": "zerowire",
      "sources": [
        "<!@(node -p \"const s = require('./sources.json'); [...s.core, ...s.addon].join(' ')\")",
      ],
      "include_dirs": ["native/include", "native/core"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      # Node's own defaults give another language level and optimisation.
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": [
        "-std=c++20",
        "-fno-exceptions",
        "-fno-rtti",
        "-isystem",
        "<!(node -p \"path.dirname(require.resolve('node-addon-api'))\")",
      ],
      "cflags": ["-fvisibility=hidden", "-pthread", "-Wall", "-Wextra", "-Wshadow"],
      "ldflags": [
        "-pthread",
        "-Wl,--version-script=<(module_root_dir)/native/addon/exports.map",
      ],
      "configurations": {
        "Release": {"cflags!": ["-O3"], "cflags": ["-O2"]},
      },
      "conditions": [["werror==1", {"cflags": ["-Werror"]}]],
    },
  ],
}
