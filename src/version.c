/* SPDX-License-Identifier: Apache-2.0 */
#include <fdlink/fdlink.h>

const char *fdl_version(void)
{
	return FDL_VERSION;
}
