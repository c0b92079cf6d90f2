/* SPDX-License-Identifier: Apache-2.0 */
#include <fdlink/packet.h>

#include <errno.h>

#include <fdlink/fdlink.h>

#include "packet/pool.h"

void fdl_release(struct fdl_packet *v[], int n)
{
	struct fdl_store *store;
	int i, end;

	for (i = 0; i < n; i = end) {
		end = i + 1;
		if (!v[i])
			continue;
		store = v[i]->store_;
		while (end < n && v[end] && v[end]->store_ == store)
			end++;
		store->release(store, v + i, end - i);
	}
}

int fdl_keep(struct fdl_packet **pkt)
{
	struct fdl_store *store = (*pkt)->store_;

	return store->keep ? store->keep(store, *pkt) : 0;
}
