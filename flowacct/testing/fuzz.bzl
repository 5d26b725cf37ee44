"""Fuzz entry points: one source, a test that replays its corpus, and a libFuzzer binary that finds more of it."""

def fuzz_corpus_test(name, srcs, corpus, deps = [], size = "small", **kwargs):
    """Declares a test that replays a corpus through LLVMFuzzerTestOneInput.

    Args:
      name: the test; NAME_fuzzer is the same entry point under libFuzzer, built by hand:
          bazel build --config=fuzz //flowacct/room:NAME_fuzzer
          bazel-bin/flowacct/room/NAME_fuzzer -max_total_time=60 flowacct/room/corpus
      srcs: the file with LLVMFuzzerTestOneInput.
      corpus: the files to replay, usually glob(["corpus/**"]); the test fails if there is none.
      deps: what the entry point uses.
      size: of the test.
      **kwargs: to the test, e.g. tags.
    """
    native.cc_library(
        name = name + "_entry",
        testonly = True,
        srcs = srcs,
        visibility = ["//visibility:private"],
        deps = deps,
        alwayslink = True,
    )
    native.filegroup(
        name = name + "_corpus",
        testonly = True,
        srcs = corpus,
        visibility = ["//visibility:private"],
    )
    native.cc_test(
        name = name,
        size = size,
        args = ["$(rootpaths :%s_corpus)" % name],
        data = [":%s_corpus" % name],
        deps = [
            ":%s_entry" % name,
            "//flowacct/testing:corpus_main",
        ],
        **kwargs
    )
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        visibility = ["//visibility:private"],
        deps = [":%s_entry" % name],
    )
