/* SPDX-License-Identifier: Apache-2.0 */
/* What a user's first program includes, in C and in C++. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/attach.h>
#include <fdlink/fdlink.h>
#include <fdlink/open.h>

int main(void)
{
	struct fdl_options opts;
	struct fdl_endpoint *ep;

	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	if (fdl_endpoint_new(&ep, NULL, 0, &opts) != -EINVAL)
		return 1;
	puts(fdl_version());
	return 0;
}
