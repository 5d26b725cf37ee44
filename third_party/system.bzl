"""The system's libraries (Debian's -dev packages) as external repositories.

The headers are on the compiler's own search path, so a repository only says how to link; each stands behind
an alias in //third_party, so that another source of the same library changes no room.
"""

_ABSL_ARCHIVES = [
    "bad_any_cast_impl",
    "bad_optional_access",
    "bad_variant_access",
    "base",
    "city",
    "civil_time",
    "cord",
    "cord_internal",
    "cordz_functions",
    "cordz_handle",
    "cordz_info",
    "debugging_internal",
    "demangle_internal",
    "exponential_biased",
    "graphcycles_internal",
    "hash",
    "hashtablez_sampler",
    "int128",
    "log_severity",
    "low_level_hash",
    "malloc_internal",
    "raw_hash_set",
    "raw_logging_internal",
    "spinlock_wait",
    "stacktrace",
    "status",
    "statusor",
    "str_format_internal",
    "strerror",
    "strings",
    "strings_internal",
    "symbolize",
    "synchronization",
    "throw_delegate",
    "time",
    "time_zone",
]

_LINKOPTS = {
    # Archives, in a group because they need one another: a tool starts without thirty shared objects to bind.
    "absl": ["-Wl,--start-group"] + ["-l:libabsl_%s.a" % name for name in _ABSL_ARCHIVES] + ["-Wl,--end-group", "-lpthread"],
    "benchmark": ["-lbenchmark", "-lpthread"],
    "cli11": [],
    "curl": ["-lcurl"],
    "gtest": ["-lgtest", "-lpthread"],
    "gtest_main": ["-lgtest_main", "-lgtest", "-lpthread"],
    "microhttpd": ["-lmicrohttpd"],
    "mariadb": ["-lmariadb"],
    "maxminddb": ["-lmaxminddb"],
    "mongoc": ["-lmongoc-1.0", "-lbson-1.0"],
    "openssl": ["-lssl", "-lcrypto"],
    "pcap": ["-lpcap"],
    "pq": ["-lpq"],
    "prometheus_core": ["-lprometheus-cpp-core"],
    "protobuf": ["-lprotobuf", "-lpthread"],
    "rabbitmq": ["-lrabbitmq"],
    "rapidjson": [],
    "rdkafka": ["-lrdkafka"],
    "seccomp": ["-lseccomp"],
    "sqlite3": ["-lsqlite3"],
    "systemd": ["-lsystemd"],
    "zlib": ["-lz"],
    "zstd": ["-lzstd"],
}

def system_libraries():
    for name, linkopts in _LINKOPTS.items():
        native.new_local_repository(
            name = "system_" + name,
            path = "/usr/share/doc/bazel-bootstrap",  # any folder that exists: nothing in it is used
            build_file_content = """
cc_library(
    name = "lib",
    linkopts = %r,
    visibility = ["//visibility:public"],
)
""" % (linkopts,),
        )
