/* SPDX-License-Identifier: Apache-2.0 */
#include "spread_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../unit/packets.h"
#include "link.h"

int spread_set_up(void **state)
{
	const struct fdl_options o = { .size = sizeof(o),
				       .pool = 1024,
				       .tx_wait_ms = WAIT_MS };
	struct fixture *f = calloc(1, sizeof(*f));
	const int size = 1 << 20;
	int fds[QUEUES], pair[2], i;

	for (i = 0; i < QUEUES; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			goto err;
		fds[i] = pair[0];
		f->peer[i] = pair[1];
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			   sizeof(size));
	}
	if (fdl_endpoint_new(&f->ep, fds, QUEUES, &o))
		goto err;
	for (i = 0; i < QUEUES; i++)
		close(fds[i]);
	*state = f;
	return 0;

err:
	free(f);
	return -1;
}

int spread_tear_down(void **state)
{
	struct fixture *f = *state;
	int i;

	fdl_endpoint_free(f->ep);
	for (i = 0; i < QUEUES; i++)
		close(f->peer[i]);
	free(f);
	return 0;
}

struct fdl_packet *numbered_packet(struct fdl_endpoint *ep, unsigned flow,
				   uint32_t number)
{
	const struct shape s = {
		.version = 4, .proto = 17, .ttl = 9, .payload = 8, .flow = flow
	};
	struct fdl_packet *pkt;

	if (fdl_alloc(fdl_get_queue(ep, 0), &pkt, 1) != 1)
		return NULL;
	pkt->len = (uint32_t)build(pkt->data, &s);
	pkt->tail -= pkt->len;
	put32(pkt->data + 28, number);
	return pkt;
}
