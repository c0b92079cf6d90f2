/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/locate.h"

#include <errno.h>

#include "fd_common.h"
#include "kind/kind.h"

#define LONG_PATH                                             \
	"/23456789012345678901234567890123456789012345678901" \
	"23456789012345678901234567890123456789012345678901234567"

static struct said said;
static const struct log to_said = { said_take, &said };

static void expect_good(const char *text, struct locator *loc)
{
	said_forget(&said);
	assert_int_equal(locator_parse(loc, text, &to_said), 0);
	assert_int_equal(said.lines, 0);
}

static void kinds_and_names(void **state)
{
	static const char *const texts[] = {
		"tap:t0",	"tun:t0",      "packet:t0",
		"seqpacket:t0", "unixgram:t0", "fd:t0",
	};
	struct locator loc;

	(void)state;
	for (int i = 0; i < 6; i++) {
		expect_good(texts[i], &loc);
		assert_memory_equal(texts[i], loc.kind->locator,
				    strlen(loc.kind->locator));
		assert_int_equal(texts[i][strlen(loc.kind->locator)], ':');
		assert_string_equal(loc.name, "t0");
		assert_int_equal(loc.fd, -1);
		assert_false(loc.promisc || loc.listen || loc.mtu);
		assert_string_equal(loc.local, "");
		assert_string_equal(loc.netns, "");
	}
}

static void options_are_taken(void **state)
{
	struct locator loc;

	(void)state;
	expect_good("tap:tap0,mtu=9000,netns=blue", &loc);
	assert_int_equal(loc.mtu, 9000);
	assert_string_equal(loc.netns, "blue");
	expect_good("packet:eth0.5,promisc,mtu=68", &loc);
	assert_true(loc.promisc);
	assert_int_equal(loc.mtu, 68);
	assert_string_equal(loc.name, "eth0.5");
	expect_good("seqpacket:/run/x:y=z,listen", &loc);
	assert_true(loc.listen);
	assert_string_equal(loc.name, "/run/x:y=z");
	expect_good("unixgram:@a,local=@b,mtu=65535", &loc);
	assert_string_equal(loc.local, "@b");
	expect_good("fd:7,mtu=1280", &loc);
	assert_int_equal(loc.fd, 7);
	expect_good("seqpacket:" LONG_PATH, &loc);
	expect_good("tap:fifteen-letters", &loc);
	assert_int_equal(loc.queues, 1);
	assert_int_equal(loc.rcvbuf, 0);
	assert_int_equal(loc.outgoing, 0);
	expect_good("tun:t,queues=256", &loc);
	assert_int_equal(loc.queues, 256);
	expect_good("packet:e,queues=2,fanout=qm,rollover,outgoing=on,"
		    "rcvbuf=4096",
		    &loc);
	assert_int_equal(loc.fanout.how, FDL_FANOUT_QM);
	assert_true(loc.fanout.rollover);
	assert_int_equal(loc.outgoing, 1);
	assert_int_equal(loc.rcvbuf, 4096);
	expect_good("packet:e,outgoing=off,rcvbuf=1073741823", &loc);
	assert_int_equal(loc.outgoing, -1);
	expect_good("seqpacket:/x,offload=on", &loc);
	assert_int_equal(loc.offload, 1);
	expect_good("unixgram:/x,offload=off,listen", &loc);
	assert_int_equal(loc.offload, -1);
}

static void value_errors_take_one_sentence(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "tap:t,mtu=70000", "mtu=70000 is out of range: 68 to 65535" },
		{ "tap:t,mtu=67", "mtu=67 is out of range" },
		{ "tap:t,mtu=-1", "mtu=-1 is out of range" },
		{ "tap:t,mtu=1500x", "out of range" },
		{ "tap:t,mtu=18446744073709553116", "out of range" },
		{ "tap:sixteen-letters-", "no interface name" },
		{ "tap:a/b", "no interface name" },
		{ "tun:a b", "no interface name" },
		{ "tun:tun%d", "no interface name" },
		{ "packet:..", "no interface name" },
		{ "packet:eth0:1", "no interface name" },
		{ "tap:t,promisc", "promisc is no option of tap: it is for "
				   "packet" },
		{ "seqpacket:/x,netns=a", "netns is no option of seqpacket: it "
					  "is for tap, tun, packet" },
		{ "seqpacket:/x,local=/y", "it is for unixgram" },
		{ "tap:t,listen", "it is for seqpacket, stream, unixgram, fd" },
		{ "tap:t,mtu=1500,mtu=1500", "mtu is there twice" },
		{ "packet:e,promisc,promisc", "promisc is there twice" },
		{ "unixgram:/x,listen,local=/y,wait", "contradict" },
		{ "unixgram:/x,wait", "add listen" },
		{ "seqpacket:@", "abstract" },
		{ "unixgram:/x,local=@", "abstract" },
		{ "seqpacket:" LONG_PATH "8", "too long" },
		{ "fd:4294967296", "is no fd" },
		{ "tap:t,netns=..", "no namespace" },
		{ "tap:t,queues=0", "queues=0 is out of range: 1 to 256" },
		{ "packet:e,queues=257", "out of range" },
		{ "unixgram:/x,queues=2",
		  "it is for tap, tun, macvtap, packet" },
		{ "packet:e,rcvbuf=4095", "out of range: 4096 to 1073741823" },
		{ "packet:e,rcvbuf=1073741824", "out of range" },
		{ "packet:e,fanout=cbpf", "fanout=cbpf is not known" },
		{ "packet:e,fanout=auto", "is not known" },
		{ "tap:t,fanout=hash", "it is for packet" },
		{ "packet:e,outgoing=yes", "neither on nor off" },
		{ "tap:t,carrier=1", "neither on nor off" },
		{ "packet:e,carrier=off", "it is for tap, tun" },
		{ "packet:e,offload=on", "it is for tap, tun, macvtap, "
					 "seqpacket, stream, unixgram, "
					 "null, pair" },
		{ "macvtap:m,netns=a", "it is for tap, tun, packet" },
		{ "pair:23456789012345678901234567890123456789012345678901234567890"
		  "123456",
		  "too long: 64 bytes" },
		{ "null:x", "leave the name out" },
		{ "null:,listen", "it is for" },
	};
	struct locator loc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		said_forget(&said);
		assert_int_equal(locator_parse(&loc, bad[i].text, &to_said),
				 -EINVAL);
		expect_said(&said, bad[i].words);
	}
}

static void expect_grammar(const char *text, const char *words)
{
	static const char *const all[] = {
		"tap:NAME",	  "tun:NAME",	   "packet:IFACE",
		"seqpacket:PATH", "macvtap:IFACE", "unixgram:PATH",
		"fd:N",		  "fd:NAME",	   "mtu=BYTES",
		"netns=NAME",	  "promisc",	   "listen",
		"local=PATH",	  "queues=N",	   "rollover",
		"outgoing=",	  "rcvbuf=BYTES",  "fanout=hash",
		"null:",
	};
	struct locator loc;

	said_forget(&said);
	assert_int_equal(locator_parse(&loc, text, &to_said), -EINVAL);
	assert_int_equal(said.lines, 3);
	assert_non_null(strstr(said.text, words));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_non_null(strstr(said.text, all[i]));
}

static void form_errors_show_the_grammar(void **state)
{
	char text[LOCATOR_TEXT_SIZE + 1];

	(void)state;
	expect_grammar("", "is no locator");
	expect_grammar("tap0", "\"tap0\" is no locator");
	expect_grammar("tap", "is no locator");
	expect_grammar("wlan:tap0", "unknown kind \"wlan\"");
	expect_grammar(":tap0", "unknown kind \"\"");
	expect_grammar("TAP:tap0", "unknown kind \"TAP\"");
	expect_grammar("tap:", "no name behind \"tap:\"");
	expect_grammar("tap:,mtu=1500", "no name behind \"tap:\"");
	expect_grammar("tap:t,", "unknown option \"\"");
	expect_grammar("tap:t,colour=red", "unknown option \"colour\"");
	expect_grammar("tap:t,mtu", "mtu needs a value");
	expect_grammar("tap:t,mtu=", "mtu needs a value");
	expect_grammar("packet:e,promisc=1", "promisc takes no value");
	expect_grammar("packet:e,promisc=", "promisc takes no value");
	expect_grammar(NULL, "no locator");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_grammar(text, "too long");
}

static void nobody_listening_is_fine(void **state)
{
	const struct log nobody = { 0 };
	struct locator loc;

	(void)state;
	assert_int_equal(locator_parse(&loc, "nonsense", &nobody), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_names),
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(value_errors_take_one_sentence),
		cmocka_unit_test(form_errors_show_the_grammar),
		cmocka_unit_test(nobody_listening_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
