#include "connectors/changelog/rabbitmq/dial.h"

#include <array>

#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/time.h>

#include "connectors/changelog/rabbitmq/errors.h"

namespace tributary::rabbitmq {

namespace {

/// Larger frames do not make 64 KiB messages faster, and each connection holds buffers of this
/// size.
constexpr int kFrameMax = 131072;
constexpr int kChannelMax = 8;
/// Of a login: start, tune, open.
constexpr int kExchanges = 3;

amqp_bytes_t bytes(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

amqp_table_entry_t flag(const char* name) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

amqp_table_entry_t text(const char* name, std::string_view value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = bytes(value);
  return entry;
}

timeval to_timeval(Millis time) {
  return {.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
}

Error tls_file(const Party& party, std::string_view what, const std::string& file) {
  return {ErrorKind::kFatal, party.broker + ": cannot use the " + std::string(what) + " " + file +
                                 "; it must be a readable PEM file"};
}

Result<amqp_socket_t*> tls_socket(amqp_connection_state_t handle, const Endpoint& endpoint,
                                  const Party& party) {
  amqp_socket_t* socket = amqp_ssl_socket_new(handle);  // owned by the handle
  if (socket == nullptr) return fail(library_error(party, "TLS", AMQP_STATUS_SSL_ERROR));
  amqp_ssl_socket_set_verify_peer(socket, 1);
  amqp_ssl_socket_set_verify_hostname(socket, 1);
  amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
  if (endpoint.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(static_cast<SSL_CTX*>(amqp_ssl_socket_get_context(socket)));
  } else if (amqp_ssl_socket_set_cacert(socket, endpoint.ca_file.c_str()) != AMQP_STATUS_OK) {
    return fail(tls_file(party, "CA file", endpoint.ca_file));
  }
  if (!endpoint.cert_file.empty() &&
      amqp_ssl_socket_set_key(socket, endpoint.cert_file.c_str(), endpoint.key_file.c_str()) !=
          AMQP_STATUS_OK) {
    return fail(tls_file(party, "client certificate and key", endpoint.cert_file));
  }
  return socket;
}

Result<void> connect(amqp_connection_state_t handle, const Endpoint& endpoint,
                     const Address& address, const Party& party) {
  amqp_socket_t* socket = nullptr;
  if (address.tls) {
    TRIBUTARY_ASSIGN(socket, tls_socket(handle, endpoint, party));
  } else {
    socket = amqp_tcp_socket_new(handle);
  }
  if (socket == nullptr) {
    return fail(library_error(party, "connect", AMQP_STATUS_NO_MEMORY));
  }
  ERR_clear_error();
  const timeval wait = to_timeval(endpoint.deadline);
  int status = amqp_socket_open_noblock(socket, address.host.c_str(), address.port, &wait);
  if (status == AMQP_STATUS_SSL_CONNECTION_FAILED &&
      ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    status = AMQP_STATUS_SSL_PEER_VERIFY_FAILED;
  }
  ERR_clear_error();
  if (status != AMQP_STATUS_OK) return fail(library_error(party, "connect", status));
  return {};
}

Result<void> login(amqp_connection_state_t handle, const Endpoint& endpoint, const Address& address,
                   const Party& party) {
  const std::string purpose = "tributary " + party.role + " " + party.stream;
  std::array capabilities = {flag("connection.blocked"), flag("consumer_cancel_notify"),
                             flag("publisher_confirms"), flag("basic.nack")};
  amqp_table_entry_t capability_table{};
  capability_table.key = amqp_cstring_bytes("capabilities");
  capability_table.value.kind = AMQP_FIELD_KIND_TABLE;
  capability_table.value.value.table = {capabilities.size(), capabilities.data()};
  std::array properties = {text("product", "Tributary"), text("connection_name", purpose),
                           capability_table};
  const amqp_table_t table{properties.size(), properties.data()};

  const timeval handshake = to_timeval(endpoint.deadline * kExchanges);
  const timeval wait = to_timeval(endpoint.deadline);
  amqp_set_handshake_timeout(handle, &handshake);
  amqp_set_rpc_timeout(handle, &wait);
  const amqp_rpc_reply_t reply = amqp_login_with_properties(
      handle, address.vhost.c_str(), kChannelMax, kFrameMax,
      static_cast<int>(endpoint.heartbeat.count()), &table, AMQP_SASL_METHOD_PLAIN,
      address.username.c_str(), address.password.c_str());
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  return fail(reply_error(party, "log in as " + party.user, reply));
}

}  // namespace

void HandleDeleter::operator()(amqp_connection_state_t_* handle) const noexcept {
  amqp_destroy_connection(handle);
}

Result<Handle> dial(const Endpoint& endpoint, const Address& address, const Party& party) {
  Handle handle(amqp_new_connection());
  if (handle == nullptr) {
    return fail(library_error(party, "connect", AMQP_STATUS_NO_MEMORY));
  }
  TRIBUTARY_TRY(connect(handle.get(), endpoint, address, party));
  TRIBUTARY_TRY(login(handle.get(), endpoint, address, party));
  return handle;
}

}  // namespace tributary::rabbitmq
