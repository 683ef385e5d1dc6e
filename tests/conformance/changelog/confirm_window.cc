/// Confirms as a broker may send them, which a healthy RabbitMQ rarely does.
#include "connectors/changelog/rabbitmq/confirm_window.h"

#include <doctest/doctest.h>

namespace tributary::rabbitmq {

namespace {

ConfirmWindow five_published() {
  ConfirmWindow window;
  for (const std::uint64_t tag : {10, 20, 30, 40, 50}) window.published(tag);
  return window;
}

}  // namespace

TEST_CASE("acks out of order confirm only what has no hole before it") {
  ConfirmWindow window = five_published();
  window.acked(3, false);
  CHECK(window.through() == 0);
  window.acked(1, false);
  CHECK(window.through() == 10);
  window.acked(2, false);
  CHECK(window.through() == 30);
}

TEST_CASE("a multiple ack confirms everything before it") {
  ConfirmWindow window = five_published();
  window.acked(4, true);
  CHECK(window.through() == 40);
  window.acked(5, false);
  CHECK(window.through() == 50);
}

TEST_CASE("a multiple ack of zero confirms everything") {
  ConfirmWindow window = five_published();
  window.acked(0, true);
  CHECK(window.through() == 50);
  window.acked(0, true);
  CHECK(window.through() == 50);
}

TEST_CASE("acks of what was confirmed already, or never published, change nothing") {
  ConfirmWindow window = five_published();
  window.acked(2, true);
  window.acked(1, false);
  window.acked(6, true);
  window.acked(0, false);
  CHECK(window.through() == 20);
}

}  // namespace tributary::rabbitmq
