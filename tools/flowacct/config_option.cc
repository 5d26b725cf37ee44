#include "tools/flowacct/config_option.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace flowacct::tools {

absl::StatusOr<config::ConfigFile> ReadConfigFile(const std::string& path) {
  std::error_code error;
  std::ifstream in(path, std::ios::binary);
  if (!in || !std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read; is the path right, and may you read it?"));
  }
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return config::ConfigFile::Parse(text, path);
}

}  // namespace flowacct::tools
