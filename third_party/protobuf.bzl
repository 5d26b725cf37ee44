"""Protocol Buffers through the system's protoc: Debian's Bazel knows no rule for it that works offline."""

def cc_proto(name, src, visibility = None):
    """The C++ of one .proto file, and its descriptors with comments as NAME.descriptors.

    Args:
      name: of the library; its header is the proto's path with .pb.h.
      src: the .proto file, which imports nothing.
      visibility: of the library and the descriptors.
    """
    stem = src[:-len(".proto")]
    native.genrule(
        name = name + "_code",
        srcs = [src],
        outs = [stem + ".pb.h", stem + ".pb.cc"],
        # Paths are the repository's, so that the file is included, and named in errors, as any other.
        cmd = "protoc --proto_path=. --cpp_out=$(GENDIR) $(location %s)" % src,
    )
    native.genrule(
        name = name + "_descriptors",
        srcs = [src],
        outs = [name + ".descriptors"],
        cmd = "protoc --proto_path=. --include_source_info --descriptor_set_out=$@ $(location %s)" % src,
        visibility = visibility,
    )
    native.cc_library(
        name = name,
        srcs = [stem + ".pb.cc"],
        hdrs = [stem + ".pb.h"],
        copts = ["-Wno-unused-parameter"],
        visibility = visibility,
        deps = ["//third_party:protobuf"],
    )
