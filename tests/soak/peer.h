/* SPDX-License-Identifier: Apache-2.0 */
/* The peer's end of each sort of link. */
#ifndef TESTS_SOAK_PEER_H
#define TESTS_SOAK_PEER_H

#include "soak.h"

/* struct bed says what these do. */
bool feed_message(struct soak *s, const uint8_t *frame, size_t len);
bool feed_veth(struct soak *s, const uint8_t *frame, size_t len);
bool feed_stream(struct soak *s, const uint8_t *frame, size_t len);
bool feed_with_header(struct soak *s, const uint8_t *frame, size_t len);
ssize_t collect_message(struct soak *s, uint8_t *buf, size_t size);
ssize_t collect_stream(struct soak *s, uint8_t *buf, size_t size);
ssize_t collect_with_header(struct soak *s, uint8_t *buf, size_t size);

/* What the other end of the veth did not take; what the peer's socket had no
 * room for, and of a macvtap what the device below it did not take. */
uint64_t ahead_at_veth(const struct soak *s);
uint64_t behind_at_packet(struct soak *s);
uint64_t behind_at_macvtap(struct soak *s);
uint64_t behind_at_udp(struct soak *s);

/* /proc/net/dev: dropped on receive, or on transmit. */
uint64_t device_drops(const char *dev, bool transmit);

/* The peer's AF_PACKET socket anew, in a network namespace that l.dev has moved
 * to. */
void peer_reopen(struct soak *s, int netns);

#endif
