/* SPDX-License-Identifier: Apache-2.0 */
/* What the wire says of itself: a line a second, and all counters. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "cable.h"
#include "cli.h"
#include "connect.h"
#include "output.h"

enum {
	LINE = 512,		/* of one line; the longest has fewer */
	ROUND = 16,		/* of a number with three digits and its unit */
	USUAL_WIDTH = 80,	/* of a terminal that does not tell */
};

/* What passed one way between two looks. */
struct passed {
	double packets, bits;	/* a second, as they left */
	uint64_t dropped;	/* on the whole way */
};

/* By enum wire_count. */
static const char *const wire_names[] = {
	"wire_lost",	     "wire_late",	   "wire_duplicated",
	"wire_drop_no_room", "wire_drop_too_long", "wire_drop_unplugged",
	"wire_signals",	     "wire_held",
};

static_assert(sizeof(wire_names) / sizeof(*wire_names) == WIRE_COUNTS,
	      "a name per counter");

static double seconds(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static bool is_drop(const char *name, const char *side)
{
	return !strncmp(name, side, strlen(side));
}

static uint64_t drops(const struct fdl_stats *stats, const char *side)
{
	const char *name;
	uint64_t n = 0;
	unsigned i;

	for (i = 0; (name = fdl_stats_name(i)); i++) {
		if (is_drop(name, side))
			n += fdl_stats_value(stats, i);
	}
	return n;
}

static uint64_t counted(const struct connect_report *r, unsigned end,
			enum wire_count what)
{
	return r->counted(r->ctx, end, what);
}

/* What the wire itself lost on the way from an end. */
static uint64_t wire_drops(const struct connect_report *r, unsigned end)
{
	return counted(r, end, WIRE_LOST) + counted(r, end, WIRE_DROP_NO_ROOM) +
	       counted(r, end, WIRE_DROP_TOO_LONG) +
	       counted(r, end, WIRE_DROP_UNPLUGGED);
}

/* Of the way from an end to the other one. wire: what was lost on it. */
static struct passed look(const struct connect_report *r, unsigned end,
			  const struct fdl_stats now[CONNECT_ENDS],
			  uint64_t wire, double s)
{
	const struct fdl_stats *to = &now[!end], *told = &r->told[!end];

	return (struct passed){
		.packets = (double)(to->tx_packets - told->tx_packets) / s,
		.bits = (double)(to->tx_bytes - told->tx_bytes) * 8 / s,
		.dropped = drops(&now[end], "rx_drop_") -
			   drops(&r->told[end], "rx_drop_") +
			   drops(to, "tx_drop_") - drops(told, "tx_drop_") +
			   wire - r->told_dropped[end],
	};
}

static const char *presence(const struct connect_report *r, unsigned end)
{
	return cable_is_there(r->cable, end) ? "up" : "down";
}

static size_t long_line(char line[LINE], const struct connect_report *r,
			const struct passed *a, const struct passed *b,
			double s)
{
	return (size_t)snprintf(
		line, LINE,
		"%8.0f s   A>B %9.0f p/s %9.1f Mbit/s %6" PRIu64
		" dropped   B>A %9.0f p/s %9.1f Mbit/s %6" PRIu64
		" dropped   A %s, B %s",
		s, a->packets, a->bits / 1e6, a->dropped, b->packets,
		b->bits / 1e6, b->dropped, presence(r, 0), presence(r, 1));
}

/* In three digits. */
static void round_off(char text[ROUND], double n)
{
	static const char units[] = " kMGTPE";
	const char *unit = units;

	for (; n >= 999.5 && unit[1]; unit++)
		n /= 1000;
	if (unit == units)
		snprintf(text, ROUND, "%.0f ", n);
	else
		snprintf(text, ROUND, "%.3g %c", n, *unit);
}

/* Of the ends it names those that are down. */
static size_t short_line(char line[LINE], const struct connect_report *r,
			 const struct passed way[CONNECT_ENDS], double s)
{
	char packets[ROUND], bits[ROUND], dropped[ROUND];
	size_t len = (size_t)snprintf(line, LINE, "%.0f s", s);
	unsigned i;

	for (i = 0; i < CONNECT_ENDS; i++) {
		round_off(packets, way[i].packets);
		round_off(bits, way[i].bits);
		round_off(dropped, (double)way[i].dropped);
		len += (size_t)snprintf(
			line + len, LINE - len, " %s %sp/s %sbit/s %sdrops",
			i ? "B>A" : "A>B", packets, bits, dropped);
	}
	for (i = 0; i < CONNECT_ENDS; i++) {
		if (!cable_is_there(r->cable, i))
			len += (size_t)snprintf(line + len, LINE - len,
						" %s down", i ? "B" : "A");
	}
	return len;
}

/* A line that is wrapped cannot be written over. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return USUAL_WIDTH;
	return size.ws_col;
}

static void line_text(struct connect_report *r,
		      const struct passed way[CONNECT_ENDS], double s)
{
	char line[LINE];
	size_t len = long_line(line, r, &way[0], &way[1], s), room;

	if (!r->in_place) {
		puts(line);
		return;
	}
	room = terminal_width() - 1;
	if (len > room)
		len = short_line(line, r, way, s);
	if (len > room)
		len = room;
	if (r->line_len > room)
		r->line_len = room;
	printf("\r%.*s%*s", (int)len, line,
	       r->line_len > len ? (int)(r->line_len - len) : 0, "");
	r->line_len = len;
}

static const char *json_bool(bool yes)
{
	return yes ? "true" : "false";
}

static void line_json(const struct connect_report *r,
		      const struct passed way[CONNECT_ENDS], double s)
{
	static const char *const names[CONNECT_ENDS] = { "a_to_b", "b_to_a" };
	unsigned i;

	printf("{\"seconds\": %.3f", s);
	for (i = 0; i < CONNECT_ENDS; i++)
		printf(", \"%s\": {\"packets_per_s\": %.1f, "
		       "\"bits_per_s\": %.0f, \"dropped\": %" PRIu64 "}",
		       names[i], way[i].packets, way[i].bits, way[i].dropped);
	printf(", \"up\": {\"a\": %s, \"b\": %s}}\n",
	       json_bool(cable_is_there(r->cable, 0)),
	       json_bool(cable_is_there(r->cable, 1)));
}

static void get_stats(const struct connect_report *r,
		      struct fdl_stats stats[CONNECT_ENDS])
{
	unsigned i;

	for (i = 0; i < CONNECT_ENDS; i++)
		fdl_get_stats(r->ep[i], &stats[i], sizeof(stats[i]));
}

void connect_report_start(struct connect_report *r)
{
	clock_gettime(CLOCK_MONOTONIC, &r->started);
	r->told_at = r->started;
	get_stats(r, r->told);
	r->in_place = !r->options->json && isatty(STDOUT_FILENO);
}

void connect_report_flush(struct connect_report *r)
{
	if (cli_flush())
		r->lost = true;
}

void connect_report_line(struct connect_report *r)
{
	struct fdl_stats now[CONNECT_ENDS];
	struct passed way[CONNECT_ENDS];
	uint64_t wire[CONNECT_ENDS];
	struct timespec t;
	unsigned i;

	/* What nobody gets is not said to be lost every second. Where nobody
	 * reads now, the next line is about a longer time. */
	if (r->lost || !output_has_room())
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	get_stats(r, now);
	for (i = 0; i < CONNECT_ENDS; i++) {
		wire[i] = wire_drops(r, i);
		way[i] = look(r, i, now, wire[i], seconds(&r->told_at, &t));
	}
	if (r->options->json)
		line_json(r, way, seconds(&r->started, &t));
	else
		line_text(r, way, seconds(&r->started, &t));
	connect_report_flush(r);
	for (i = 0; i < CONNECT_ENDS; i++) {
		r->told[i] = now[i];
		r->told_dropped[i] = wire[i];
	}
	r->told_at = t;
}

static void all_text(const struct connect_report *r,
		     const struct fdl_stats now[CONNECT_ENDS], double s)
{
	const char *name;
	unsigned i;

	/* The line that is on the terminal stays. */
	printf("%sfdlink connect: after %.0f s\n"
	       "A is %s\nB is %s\n%-20s %20s %20s\n",
	       r->in_place ? "\n" : "", s, r->options->locator[0],
	       r->options->locator[1], "", "A", "B");
	for (i = 0; (name = fdl_stats_name(i)); i++)
		printf("%-20s %20" PRIu64 " %20" PRIu64 "\n", name,
		       fdl_stats_value(&now[0], i),
		       fdl_stats_value(&now[1], i));
	for (i = 0; i < WIRE_COUNTS; i++) {
		if (!counted(r, 0, i) && !counted(r, 1, i) && i != WIRE_HELD)
			continue;
		printf("%-20s %20" PRIu64 " %20" PRIu64 "\n", wire_names[i],
		       counted(r, 0, i), counted(r, 1, i));
	}
}

static const char *const end_names[CONNECT_ENDS] = { "a", "b" };

static double uptime(const struct connect_report *r)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return seconds(&r->started, &t);
}

void connect_report_json(struct connect_report *r, FILE *out)
{
	struct fdl_stats now[CONNECT_ENDS];
	const char *name;
	unsigned end, i;

	get_stats(r, now);
	fprintf(out, "{\"seconds\": %.3f", uptime(r));
	for (end = 0; end < CONNECT_ENDS; end++) {
		fprintf(out, ", \"%s\": {\"locator\": ", end_names[end]);
		cli_json_string(out, r->options->locator[end]);
		for (i = 0; (name = fdl_stats_name(i)); i++)
			fprintf(out, ", \"%s\": %" PRIu64, name,
				fdl_stats_value(&now[end], i));
		for (i = 0; i < WIRE_COUNTS; i++)
			fprintf(out, ", \"%s\": %" PRIu64, wire_names[i],
				counted(r, end, i));
		fputc('}', out);
	}
	fputs("}\n", out);
}

/* One counter of both ends. */
static void metric(const struct connect_report *r, FILE *out, const char *name,
		   const uint64_t value[CONNECT_ENDS])
{
	unsigned end;

	fprintf(out, "# TYPE fdlink_%s counter\n", name);
	for (end = 0; end < CONNECT_ENDS; end++) {
		fprintf(out, "fdlink_%s_total{end=\"%s\",locator=", name,
			end_names[end]);
		cli_json_string(out, r->options->locator[end]);
		fprintf(out, "} %" PRIu64 "\n", value[end]);
	}
}

void connect_report_metrics(struct connect_report *r, FILE *out)
{
	struct fdl_stats now[CONNECT_ENDS];
	uint64_t value[CONNECT_ENDS];
	const char *name;
	unsigned i;

	get_stats(r, now);
	for (i = 0; (name = fdl_stats_name(i)); i++) {
		value[0] = fdl_stats_value(&now[0], i);
		value[1] = fdl_stats_value(&now[1], i);
		metric(r, out, name, value);
	}
	for (i = 0; i < WIRE_COUNTS; i++) {
		value[0] = counted(r, 0, i);
		value[1] = counted(r, 1, i);
		metric(r, out, wire_names[i], value);
	}
	fprintf(out,
		"# TYPE fdlink_uptime_seconds gauge\n"
		"# UNIT fdlink_uptime_seconds seconds\n"
		"fdlink_uptime_seconds %.3f\n# EOF\n",
		uptime(r));
}

static void link_json(struct fdl_endpoint *ep, FILE *out)
{
	struct fdl_link link;

	if (fdl_link_state(ep, &link, sizeof(link)) < 0) {
		fputs("null", out);
		return;
	}
	fputs("{\"name\": ", out);
	cli_json_string(out, link.name);
	fprintf(out,
		", \"up\": %s, \"carrier\": %s, \"mtu\": %" PRIu32
		", \"changes\": %" PRIu64 "}",
		json_bool(link.up), json_bool(link.carrier), link.mtu,
		link.changes);
}

void connect_report_links(struct connect_report *r, FILE *out)
{
	unsigned end;

	fprintf(out, "{\"carrier\": %s", json_bool(cable_is_plugged(r->cable)));
	for (end = 0; end < CONNECT_ENDS; end++) {
		fprintf(out, ", \"%s\": {\"locator\": ", end_names[end]);
		cli_json_string(out, r->options->locator[end]);
		fprintf(out, ", \"mtu\": %" PRIu32 ", \"device\": ",
			cable_mtu(r->cable, end));
		link_json(r->ep[end], out);
		fputc('}', out);
	}
	fputs("}\n", out);
}

void connect_report_all(struct connect_report *r)
{
	struct fdl_stats now[CONNECT_ENDS];

	if (r->options->json) {
		connect_report_json(r, stdout);
	} else {
		get_stats(r, now);
		all_text(r, now, uptime(r));
	}
	connect_report_flush(r);
}
