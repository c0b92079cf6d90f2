/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a thread that sends runs. Over a veth the kernel keeps the order of
 * what one CPU sends, no more: each has a queue of its own (netif_rx), and a
 * thread that moves between two packets may see the second one arrive first.
 */
#ifndef TESTS_CPU_H
#define TESTS_CPU_H

#include <sched.h>

/* Have the calling thread stay where it is; before is for cpu_roam. */
void cpu_stay(cpu_set_t *before);
void cpu_roam(const cpu_set_t *before);

/* Have it run on the nth CPU, counted on from 0 behind the last. */
void cpu_go(unsigned nth);

#endif
