/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SYN in TIME-WAIT, and one that is made of a cookie, with an lwIP that has
 * timestamps (RFC 6191, RFC 7323), which the command's has not: that lwIP is
 * not here, only the files that decide.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../adapt/lwip/fdl_lwip_cookie.c"
#include "../../adapt/lwip/fdl_lwip_reopen.c"

static struct tcp_pcb_listen listener;
static unsigned reopened;
static struct {
	struct tcp_hdr hdr;
	u8_t options[40];
} syn;

union tcp_listen_pcbs_t tcp_listen_pcbs = { &listener };
struct ip_globals ip_data;

void tcp_abort(struct tcp_pcb *pcb)
{
	assert_int_equal(pcb->state, TIME_WAIT);
}

void tcp_input(struct pbuf *p, struct netif *netif)
{
	assert_non_null(p);
	assert_null(netif);
	reopened++;
}

/* There is one, for a SYN. */
struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
	static struct pbuf p;

	assert_int_equal(layer, PBUF_IP);
	assert_int_equal(type, PBUF_RAM);
	assert_in_range(len, TCP_HLEN, sizeof(syn));
	p = (struct pbuf){ .payload = &syn, .len = len, .tot_len = len };
	return &p;
}

u16_t ip_chksum_pseudo(struct pbuf *p, u8_t proto, u16_t len,
		       const ip_addr_t *src, const ip_addr_t *dest)
{
	(void)p;
	(void)proto;
	(void)len;
	(void)src;
	(void)dest;
	return 0;
}

u32_t sys_now(void)
{
	return 0;
}

u32_t tcp_next_iss(struct tcp_pcb *pcb)
{
	return pcb->snd_nxt + 1;
}

u8_t pbuf_add_header_force(struct pbuf *p, size_t size)
{
	assert_non_null(p);
	assert_in_range(size, TCP_HLEN, 60);
	return 0;
}

void pbuf_ref(struct pbuf *p)
{
	assert_non_null(p);
}

err_t fdl_lwip_output(struct netif *netif, struct pbuf *p)
{
	(void)netif;
	(void)p;
	return ERR_IF;
}

/* Whether a SYN like that begins a new connection. */
static bool reopens(bool had_timestamps, s32_t later, const void *options,
		    u16_t len)
{
	struct tcp_pcb pcb = {
		.state = TIME_WAIT,
		.local_port = 80,
		.rcv_nxt = 5,
		.ts_recent = 0xfffffff0,
		.flags = had_timestamps ? TF_TIMESTAMP : 0,
	};
	struct fdl_lwip link = { 0 };
	struct pbuf p = { 0 };
	struct tcp_hdr *hdr;
	bool taken;

	/* As long as it is, for what reads beyond it to be found. */
	hdr = malloc(sizeof(*hdr) + len);
	assert_non_null(hdr);
	memset(hdr, 0, sizeof(*hdr));
	memcpy(hdr + 1, options, len);
	hdr->seqno = pcb.rcv_nxt + (u32_t)later;
	TCPH_HDRLEN_FLAGS_SET(hdr, 5 + len / 4, TCP_SYN);
	listener.local_port = 80;
	IP_SET_TYPE_VAL(listener.local_ip, IPADDR_TYPE_ANY);
	reopened = 0;
	taken = fdl_lwip_reopen(&link, &pcb, hdr, len, &p);
	assert_int_equal(reopened, taken);
	free(hdr);
	return taken;
}

#define EARLIER "\1\1\10\12\xff\xff\xff\xef\0\0\0\0"
#define THE_SAME "\2\4\5\xb4\10\12\xff\xff\xff\xf0\0\0\0\0\1\1"
#define LATER "\4\2\10\12\0\0\0\1\0\0\0\0"
#define WITH(text) (text), sizeof(text) - 1

static void timestamps_tell_what_is_later(void **state)
{
	(void)state;
	assert_true(reopens(true, -1000, WITH(LATER)));
	assert_true(reopens(true, 1000, WITH(LATER)));
	assert_false(reopens(true, 1000, WITH(EARLIER)));
	assert_true(reopens(true, 1000, WITH(THE_SAME)));
	assert_false(reopens(true, -1000, WITH(THE_SAME)));
}

static void without_them_sequence_numbers_do(void **state)
{
	(void)state;
	assert_true(reopens(false, 0, WITH(EARLIER)));
	assert_false(reopens(false, -1, WITH(LATER)));
	assert_true(reopens(true, 0, WITH("")));
	assert_false(reopens(true, -1, WITH("")));
}

/* No byte of theirs is read beyond their end. */
static void wrong_options_are_none(void **state)
{
	static const struct {
		const char *bytes;
		u16_t len;
	} wrong[] = {
		{ WITH("\10\0\0\0\0\0\0\0\0\0\0\0") },
		{ WITH("\10\1\0\0\0\0\0\0\0\0\0\0") },
		{ WITH("\1\1\1\10") },
		{ WITH("\1\1\10\12") },
		{ WITH("\1\1\10\12\0\0\0\1") },
		{ WITH("\10\11\0\0\0\1\0\0\0\0\1\1") },
		{ WITH("\0\0\10\12\0\0\0\1\0\0\0\0") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_true(reopens(true, 0, wrong[i].bytes, wrong[i].len));
		assert_false(reopens(true, -1, wrong[i].bytes, wrong[i].len));
	}
}

/* Make a SYN of a segment with such options. Returns the SYN's timestamp, or
 * NULL. */
static const u8_t *timestamp_of_syn(const void *options, u16_t len)
{
	struct {
		struct tcp_hdr hdr;
		u8_t options[40];
	} ack = { 0 };
	struct fdl_lwip link = { 0 };
	struct pbuf p = { 0 };

	memset(&syn, 0xff, sizeof(syn));
	memcpy(ack.options, options, len);
	ack.hdr.ackno = (1 << SIZE_SHIFT | NO_SCALE) + 1;
	fdl_lwip_cookie_take(&link, &ack.hdr, len, &p);
	assert_int_equal(TCPH_FLAGS(&syn.hdr), TCP_SYN);
	return fdl_lwip_find_option(syn.options,
				    TCPH_HDRLEN_BYTES(&syn.hdr) - TCP_HLEN,
				    LWIP_TCP_OPT_TS, LWIP_TCP_OPT_LEN_TS);
}

/* Else lwIP would send none, and the peer may refuse segments without
 * (RFC 7323, 3.2). */
static void a_syn_of_a_cookie_has_the_timestamp_of_the_answer(void **state)
{
	const u8_t *timestamp;

	(void)state;
	timestamp = timestamp_of_syn(WITH(LATER));
	assert_non_null(timestamp);
	assert_memory_equal(timestamp, &LATER[2], 10);
	timestamp = timestamp_of_syn(WITH(THE_SAME));
	assert_non_null(timestamp);
	assert_memory_equal(timestamp, &THE_SAME[4], 10);
	assert_null(timestamp_of_syn(WITH("")));
	assert_null(timestamp_of_syn(WITH("\2\4\5\xb4")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timestamps_tell_what_is_later),
		cmocka_unit_test(without_them_sequence_numbers_do),
		cmocka_unit_test(wrong_options_are_none),
		cmocka_unit_test(
			a_syn_of_a_cookie_has_the_timestamp_of_the_answer),
	};

	return cmocka_run_group_tests_name("lwip timestamps", tests, NULL,
					   NULL);
}
