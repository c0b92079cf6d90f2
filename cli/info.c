/* SPDX-License-Identifier: Apache-2.0 */
/* fdlink info: what a locator names, found without touching it. */
#include <getopt.h>
#include <inttypes.h>

#include <fdlink/open.h>

#include "cli.h"

static const char help[] =
	"Usage: fdlink info LOCATOR [--json]\n"
	"\n"
	"Say what a link is, and which modes of receiving can be used on it.\n"
	"Nothing is created, opened, connected or changed.\n"
	"\n"
	"  --json      as one JSON object\n"
	"  -h, --help  this text\n"
	"\n" CLI_LOCATORS;

static const char *medium(const struct fdl_info *info)
{
	if (info->medium == FDL_MEDIUM_AGREED)
		return "as the peers agree";
	return info->medium == FDL_MEDIUM_IP ? "ip" : "ethernet";
}

static void print_device(const struct fdl_info *info)
{
	const uint8_t *a = info->address;

	printf("device         %s, index %u, %s\n", info->name, info->ifindex,
	       info->up ? "up" : "down");
	if (info->ethernet)
		printf("address        %02x:%02x:%02x:%02x:%02x:%02x\n", a[0],
		       a[1], a[2], a[3], a[4], a[5]);
	printf("mtu            %" PRIu32 "\n", info->mtu);
}

static void print_offloads(const struct fdl_info *info)
{
	const char *name, *refusal;
	unsigned bit;

	for (bit = 0; (name = cli_offload_name(bit)); bit++) {
		refusal = fdl_offload_refusal(info, 1U << bit);
		printf("offload        %s: receive %s, send %s%s\n", name,
		       info->offloads & 1U << bit ? "on" : "off",
		       refusal ? "off, " : "on", refusal ? refusal : "");
	}
}

static void print_modes(const struct fdl_info *info)
{
	const char *refusal;
	enum fdl_mode mode;

	for (mode = FDL_MODE_AUTO + 1; fdl_mode_name(mode); mode++) {
		refusal = fdl_mode_refusal(info, mode);
		printf("mode           %s: %s%s\n", fdl_mode_name(mode),
		       refusal ? "no, " : "yes", refusal ? refusal : "");
	}
	printf("mode auto is   %s\n", fdl_mode_name(fdl_mode_best(info)));
}

static void print_text(const char *locator, const struct fdl_info *info)
{
	printf("locator        %s\n", locator);
	printf("kind           %s\n", info->kind_name);
	printf("medium         %s\n", medium(info));
	if (info->device)
		print_device(info);
	printf("queues         %" PRIu32 "%s\n", info->queues,
	       info->multi_queue ? ", can have more" : "");
	if (info->vnet_hdr_len)
		printf("virtio header  %d bytes\n", info->vnet_hdr_len);
	else if (info->kind == FDL_KIND_PACKET)
		puts("virtio header  none, but while a link is open on it");
	else
		puts("virtio header  none");
	if (info->packet_info)
		puts("packet info    4 bytes");
	if (info->rcvbuf)
		printf("receive buffer %" PRIu32 " bytes\n", info->rcvbuf);
	print_offloads(info);
	print_modes(info);
}

static void json_bool(const char *name, bool value)
{
	printf(", \"%s\": %s", name, value ? "true" : "false");
}

static void json_device(const struct fdl_info *info)
{
	const uint8_t *a = info->address;

	fputs(", \"device\": ", stdout);
	cli_json_string(stdout, info->name);
	printf(", \"ifindex\": %u, \"mtu\": %" PRIu32, info->ifindex,
	       info->mtu);
	json_bool("up", info->up);
	if (info->ethernet)
		printf(", \"address\": \"%02x:%02x:%02x:%02x:%02x:%02x\"", a[0],
		       a[1], a[2], a[3], a[4], a[5]);
}

/* An offload that is left to the link is null; else the value says why not. */
static void json_offloads(const struct fdl_info *info)
{
	const char *name, *refusal;
	unsigned bit;

	fputs(", \"offloads\": [", stdout);
	cli_offloads(stdout, info->offloads, "\"", ", ");
	fputs("], \"send_offloads\": {", stdout);
	for (bit = 0; (name = cli_offload_name(bit)); bit++) {
		refusal = fdl_offload_refusal(info, 1U << bit);
		printf("%s\"%s\": ", bit ? ", " : "", name);
		if (refusal)
			cli_json_string(stdout, refusal);
		else
			fputs("null", stdout);
	}
	fputc('}', stdout);
}

/* A mode that can be used is null; else the value says why not. */
static void json_modes(const struct fdl_info *info)
{
	const char *refusal;
	enum fdl_mode mode;

	fputs(", \"modes\": {", stdout);
	for (mode = FDL_MODE_AUTO + 1; fdl_mode_name(mode); mode++) {
		refusal = fdl_mode_refusal(info, mode);
		printf("%s\"%s\": ", mode > FDL_MODE_AUTO + 1 ? ", " : "",
		       fdl_mode_name(mode));
		if (refusal)
			cli_json_string(stdout, refusal);
		else
			fputs("null", stdout);
	}
	printf("}, \"auto\": \"%s\"", fdl_mode_name(fdl_mode_best(info)));
}

static void print_json(const char *locator, const struct fdl_info *info)
{
	fputs("{\"locator\": ", stdout);
	cli_json_string(stdout, locator);
	printf(", \"kind\": \"%s\"", info->kind_name);
	printf(", \"medium\": \"%s\"", medium(info));
	if (info->device)
		json_device(info);
	printf(", \"queues\": %" PRIu32, info->queues);
	json_bool("multi_queue", info->multi_queue);
	json_bool("packet_info", info->packet_info);
	printf(", \"vnet_hdr_len\": %d", info->vnet_hdr_len);
	printf(", \"rcvbuf\": %" PRIu32, info->rcvbuf);
	json_offloads(info);
	json_modes(info);
	puts("}");
}

int info_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct fdl_info info;
	const char *locator;
	bool json = false;
	int opt;
	int rc;

	while ((opt = cli_option(argc, argv, options)) != -1) {
		if (opt == '?')
			return STATUS_USAGE;
		if (opt == 'h') {
			fputs(help, stdout);
			return STATUS_OK;
		}
		json = true;
	}
	locator = cli_locator(argc, argv);
	if (!locator)
		return STATUS_USAGE;
	rc = fdl_probe(locator, &info, sizeof(info), cli_log, NULL);
	if (rc < 0)
		return cli_status(rc);
	if (json)
		print_json(locator, &info);
	else
		print_text(locator, &info);
	return STATUS_OK;
}
