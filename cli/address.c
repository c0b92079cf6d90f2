/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

/* Addresses that no host can have. The first row that fits says why. */
struct special {
	uint8_t bytes[16];
	unsigned prefix;
	const char *why;
};

static const struct special special4[] = {
	{ { 0 }, 8, "is in 0.0.0.0/8, which no host is in" },
	{ { 127 }, 8, "is a loopback address" },
	{ { 224 }, 4, "is a multicast address" },
	{ { 255, 255, 255, 255 }, 32, "is the broadcast address" },
	{ { 240 }, 4, "is in 240.0.0.0/4, which is reserved" },
	{ .why = NULL },
};

static const struct special special6[] = {
	{ { 0 }, 128, "is the unspecified address" },
	{ { [15] = 1 }, 128, "is the loopback address" },
	{ { 0 }, 96, "is an IPv4 address written as IPv6" },
	{ { [10] = 0xff, 0xff }, 96, "is an IPv4 address written as IPv6" },
	{ { 0xff }, 8, "is a multicast address" },
	{ .why = NULL },
};

unsigned address_parse(const char *text, uint8_t bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

bool address_same_network(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
	const unsigned whole = prefix / 8;
	const uint8_t mask = (uint8_t)(0xff00 >> prefix % 8);

	if (memcmp(a, b, whole))
		return false;
	return !(prefix % 8) || !((a[whole] ^ b[whole]) & mask);
}

const char *address_refusal(const uint8_t *bytes, unsigned len)
{
	const struct special *s = len == 4 ? special4 : special6;

	while (s->why && !address_same_network(s->bytes, bytes, s->prefix))
		s++;
	return s->why;
}

static bool host_part_is(const uint8_t *bytes, unsigned len, unsigned prefix,
			 int bit)
{
	unsigned i;

	for (i = prefix; i < len * 8; i++)
		if ((bytes[i / 8] >> (7 - i % 8) & 1) != bit)
			return false;
	return true;
}

const char *address_network_refusal(const uint8_t *bytes, unsigned len,
				    unsigned prefix)
{
	if (len * 8 - prefix < 2)
		return NULL;
	if (host_part_is(bytes, len, prefix, 0))
		return len == 4 ? "is the address of its network" :
				  "is any router of its network";
	if (len == 4 && host_part_is(bytes, len, prefix, 1))
		return "is the broadcast address of its network";
	return NULL;
}

bool address_is_link_local6(const uint8_t bytes[16])
{
	return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

void address_link_local6(uint8_t bytes[16], const uint8_t mac[6])
{
	const uint8_t address[16] = {
		0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2],
		0xff, 0xfe, mac[3],	      mac[4], mac[5],
	};

	memcpy(bytes, address, sizeof(address));
}
