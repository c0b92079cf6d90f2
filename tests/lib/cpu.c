/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu.h"

#include <pthread.h>
#include <unistd.h>

static void run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void cpu_stay(cpu_set_t *before)
{
	pthread_getaffinity_np(pthread_self(), sizeof(*before), before);
	run_on((unsigned)sched_getcpu());
}

void cpu_roam(const cpu_set_t *before)
{
	pthread_setaffinity_np(pthread_self(), sizeof(*before), before);
}

void cpu_go(unsigned nth)
{
	run_on(nth % (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
}
