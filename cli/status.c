/* SPDX-License-Identifier: Apache-2.0 */
/* What the host tells of itself, on the page and on standard output. */
#include <inttypes.h>

#include <fdlink/fdlink.h>

#include "cli.h"
#include "host.h"

static long uptime(const struct host_status *status)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - status->started.tv_sec -
	       (now.tv_nsec < status->started.tv_nsec);
}

/* Returns the name of counter i, and its value: first the link's counters, then
 * the stack's. NULL past the last one. */
static const char *counter(const struct host_status *status,
			   const struct fdl_stats *stats, unsigned i,
			   uint64_t *value)
{
	const char *name = fdl_stats_name(i);

	if (name) {
		*value = fdl_stats_value(stats, i);
		return name;
	}
	if (i && !fdl_stats_name(i - 1))
		return NULL;
	*value = *status->lwip_dropped;
	return "lwip_rx_drop";
}

static const char *stack_offload(const struct host_status *status)
{
	return host_offload_name(status->options->offload);
}

void status_text(const struct host_status *status, FILE *out)
{
	struct fdl_stats stats;
	const char *name;
	uint64_t value;
	unsigned i;

	fdl_get_stats(status->ep, &stats, sizeof(stats));
	fprintf(out, "fdlink host: %s after %ld s\n", status->options->locator,
		uptime(status));
	fprintf(out, "offload %s, to the wire: ", stack_offload(status));
	cli_offloads(out, fdl_tx_offloads(status->ep), "", " ");
	fputc('\n', out);
	for (i = 0; (name = counter(status, &stats, i, &value)); i++)
		fprintf(out, "%-20s %" PRIu64 "\n", name, value);
}

static void json_addresses(const struct host_options *o, FILE *out)
{
	const char *comma = "";
	unsigned i;

	if (o->ip4.text) {
		cli_json_string(out, o->ip4.text);
		comma = ", ";
	}
	for (i = 0; i < o->n_ip6; i++, comma = ", ") {
		fputs(comma, out);
		cli_json_string(out, o->ip6[i].text);
	}
}

void status_json(const struct host_status *status, FILE *out)
{
	const enum fdl_mode mode = fdl_get_mode(status->ep);
	struct fdl_stats stats;
	const char *name;
	uint64_t value;
	unsigned i;

	fdl_get_stats(status->ep, &stats, sizeof(stats));
	fputs("{\"locator\": ", out);
	cli_json_string(out, status->options->locator);
	fputs(", \"addresses\": [", out);
	json_addresses(status->options, out);
	fprintf(out,
		"], \"uptime_s\": %ld, \"mtu\": %" PRIu32 ", \"mode\": \"%s\"",
		uptime(status), fdl_mtu(status->ep), fdl_mode_name(mode));
	fprintf(out, ", \"offload\": \"%s\", \"tx_offloads\": [",
		stack_offload(status));
	cli_offloads(out, fdl_tx_offloads(status->ep), "\"", ", ");
	fputc(']', out);
	for (i = 0; (name = counter(status, &stats, i, &value)); i++)
		fprintf(out, ", \"%s\": %" PRIu64, name, value);
	fputs("}\n", out);
}

static void html_string(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '>' || *text == '&')
			fprintf(out, "&#%d;", *text);
		else
			fputc(*text, out);
	}
}

static void html_addresses(const struct host_options *o, FILE *out)
{
	unsigned i;

	if (o->ip4.text)
		fprintf(out, "<tr><td>address<td>%s\n", o->ip4.text);
	for (i = 0; i < o->n_ip6; i++)
		fprintf(out, "<tr><td>address<td>%s\n", o->ip6[i].text);
}

void status_html(const struct host_status *status, FILE *out)
{
	const enum fdl_mode mode = fdl_get_mode(status->ep);
	struct fdl_stats stats;
	const char *name;
	uint64_t value;
	unsigned i;

	fdl_get_stats(status->ep, &stats, sizeof(stats));
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	      "<title>fdlink host</title>\n<h1>fdlink host</h1>\n"
	      "<table>\n<tr><td>link<td>",
	      out);
	html_string(out, status->options->locator);
	fputc('\n', out);
	html_addresses(status->options, out);
	fprintf(out,
		"<tr><td>uptime<td>%ld s\n<tr><td>MTU<td>%" PRIu32 "\n"
		"<tr><td>mode<td>%s\n<tr><td>offload<td>%s; to the wire: ",
		uptime(status), fdl_mtu(status->ep), fdl_mode_name(mode),
		stack_offload(status));
	cli_offloads(out, fdl_tx_offloads(status->ep), "", " ");
	fputs("\n</table>\n<h2>Packets</h2>\n<table>\n", out);
	for (i = 0; (name = counter(status, &stats, i, &value)); i++)
		fprintf(out, "<tr><td>%s<td>%" PRIu64 "\n", name, value);
	fputs("</table>\n<p><a href=\"/stats.json\">as JSON</a>\n</html>\n",
	      out);
}
