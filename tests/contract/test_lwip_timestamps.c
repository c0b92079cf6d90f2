/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SYN in TIME-WAIT with an lwIP that has timestamps (RFC 6191), which the
 * command's has not: that lwIP is not here, only the file that decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../adapt/lwip/fdl_lwip_reopen.c"

static struct tcp_pcb_listen listener;
static unsigned reopened;

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timestamps_tell_what_is_later),
		cmocka_unit_test(without_them_sequence_numbers_do),
		cmocka_unit_test(wrong_options_are_none),
	};

	return cmocka_run_group_tests_name("lwip timestamps", tests, NULL,
					   NULL);
}
