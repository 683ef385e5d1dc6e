#include "config/named_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tributary::config {
namespace {

constexpr std::string_view kFiles[] = {"sslcert", "sslcrl", "sslkey", "sslrootcert"};
constexpr std::string_view kFolder = "sslcrldir";

/// A relative one counts from wherever a process runs, so nobody knows it here. (An sslkey may also
/// be engine:key.)
bool is_known(const std::string& path) { return path.starts_with('/'); }

std::string wrong_with_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::directory_iterator first(path, failed);
  return failed ? "folder " + path + " cannot be read: " + failed.message() : "";
}

std::string wrong_with_pem(const std::string& path) {
  std::error_code ignored;  // opening it says why, just below
  if (std::filesystem::is_directory(path, ignored)) return "file " + path + " is a folder";
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return "file " + path +
           (errno == 0 ? " is empty" : std::string(" cannot be read: ") + std::strerror(errno));
  }
  if (text.view().find("-----BEGIN ") != std::string_view::npos) return "";
  return "file " + path + " holds no certificate or key in PEM form (-----BEGIN …)";
}

}  // namespace

void add_tls_files(Mapping& tls, const Tls& named, std::vector<NamedFile>& out) {
  const auto add = [&](std::string_view key, const std::string& path) {
    if (path.empty()) return;
    out.push_back({.key = tls.path_of(key), .line = tls.place_of(key).line, .path = path});
  };
  add("ca_file", named.ca_file);
  add("cert_file", named.cert_file);
  add("key_file", named.key_file);
}

void add_libpq_files(Mapping& mapping, std::string_view key, const Url& url,
                     std::vector<NamedFile>& out) {
  const auto add = [&](std::string_view name, const std::string& path, bool folder) {
    if (!is_known(path)) return;
    out.push_back({.key = mapping.path_of(key),
                   .line = mapping.place_of(key).line,
                   .path = path,
                   .parameter = std::string(name),
                   .folder = folder});
  };
  for (const auto& [name, value] : url.query) {
    if (std::ranges::find(kFiles, name) != std::end(kFiles)) add(name, value, false);
    if (name == kFolder) add(name, value, true);
  }
}

std::vector<Mistake> check_files(const Topology& topology) {
  std::vector<Mistake> mistakes;
  for (const NamedFile& file : topology.files) {
    std::string wrong = file.folder ? wrong_with_folder(file.path) : wrong_with_pem(file.path);
    if (wrong.empty()) continue;
    if (!file.parameter.empty()) wrong = file.parameter + ": " + wrong;
    mistakes.push_back({.line = file.line, .key = file.key, .what = std::move(wrong)});
  }
  return mistakes;
}

}  // namespace tributary::config
