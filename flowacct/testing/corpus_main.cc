// A main() for fuzz entry points (LLVMFuzzerTestOneInput): replays the files, or all files below the directories, that
// are given as arguments, so that every input that was ever of interest is tried again by an ordinary test.
//
// Each input is also tried cut at every octet, and with each octet overwritten (a large one at evenly spaced places),
// from a heap block of exactly its size, so that AddressSanitizer sees a read one octet too far. Deterministic.
// Fails if no input was found. If an entry point dies, the input that did it is named last on standard error.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Present in a build with a sanitizer: called when it found something, before the process ends.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

// How many variants of each sort (cut, overwritten) one input gets: bounds the time of a large file, and is every
// octet of a datagram (1472 octets of payload on Ethernet).
constexpr size_t kVariantsPerInput = 1500;

char current_input[1024] = "(none)\n";  // Only written between calls, so that a signal handler may read it.

void Describe(const std::string& file, const char* change, size_t offset) {
  std::snprintf(current_input, sizeof(current_input), "died on input %s, %s %zu\n", file.c_str(), change, offset);
}

void NameCurrentInput() {
  if (write(STDERR_FILENO, current_input, std::strlen(current_input)) < 0) return;
}

void OnFatalSignal(int number) {
  NameCurrentInput();
  signal(number, SIG_DFL);
  raise(number);
}

void Try(const uint8_t* octets, size_t size) {
  std::unique_ptr<uint8_t[]> exact(new uint8_t[size]);
  if (size != 0) std::memcpy(exact.get(), octets, size);
  LLVMFuzzerTestOneInput(exact.get(), size);
}

void TryWithVariants(const std::string& file, std::vector<uint8_t> input) {
  Describe(file, "whole, octets:", input.size());
  Try(input.data(), input.size());
  const size_t step = std::max<size_t>(1, input.size() / kVariantsPerInput);
  for (size_t cut = 0; cut < input.size(); cut += step) {
    Describe(file, "cut at octet", cut);
    Try(input.data(), cut);
  }
  for (size_t offset = 0; offset < input.size(); offset += step) {
    const uint8_t original = input[offset];
    for (const uint8_t value : {0x00, 0xff, original ^ 0x80, original + 1}) {
      if (value == original) continue;
      input[offset] = value;
      Describe(file, "overwritten at octet", offset);
      Try(input.data(), input.size());
    }
    input[offset] = original;
  }
}

void CollectFiles(const std::filesystem::path& path, std::vector<std::string>* files) {
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) CollectFiles(entry.path(), files);
  } else if (std::filesystem::is_regular_file(path)) {
    files->push_back(path.string());
  }
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGTERM, &OnFatalSignal);  // What a test gets that ran too long.
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&NameCurrentInput);
  } else {
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) signal(number, &OnFatalSignal);
  }

  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const size_t before = files.size();
    CollectFiles(argv[i], &files);
    if (files.size() == before) {
      std::fprintf(stderr, "no corpus file at %s\n", argv[i]);
      return 1;
    }
  }
  if (files.empty()) {
    std::fprintf(stderr, "no corpus: give files or directories as arguments\n");
    return 1;
  }
  std::sort(files.begin(), files.end());

  Describe("(no octets)", "whole, octets:", 0);
  Try(nullptr, 0);
  for (const std::string& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      std::fprintf(stderr, "cannot read %s\n", file.c_str());
      return 1;
    }
    TryWithVariants(file,
                    std::vector<uint8_t>(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()));
  }
  std::printf("replayed %zu inputs with their variants\n", files.size());
  return 0;
}
