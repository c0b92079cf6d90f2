/* SPDX-License-Identifier: Apache-2.0 */
#include "circle.h"

#include <stdlib.h>

#include "cpu.h"

/* Returns whether there is another step. */
static bool next(struct circle *c)
{
	bool over;

	pthread_mutex_lock(&c->lock);
	while (c->holds && !c->over) {
		c->still = true;
		pthread_cond_broadcast(&c->changed);
		pthread_cond_wait(&c->changed, &c->lock);
	}
	c->still = false;
	over = c->over;
	pthread_mutex_unlock(&c->lock);
	return !over;
}

/* It stays on its CPU, because the kernel keeps the order of one CPU's
 * packets. */
static void *run(void *arg)
{
	struct circle *c = arg;
	cpu_set_t unused;

	cpu_stay(&unused);
	while (next(c))
		c->step(c->arg);
	return NULL;
}

void circle_start(struct circle *c, void (*step)(void *arg), void *arg)
{
	*c = (struct circle){ .holds = 1, .step = step, .arg = arg };
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	if (pthread_create(&c->thread, NULL, run, c))
		abort();
}

void circle_end(struct circle *c)
{
	pthread_mutex_lock(&c->lock);
	c->over = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
}

void circle_hold(struct circle *c)
{
	pthread_mutex_lock(&c->lock);
	c->holds++;
	while (!c->still)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void circle_go(struct circle *c)
{
	pthread_mutex_lock(&c->lock);
	c->holds--;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}
