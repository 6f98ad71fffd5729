/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was found wrong in a scenario. A scenario without a finding, whose
 * server ended as told, is passed.
 */
#ifndef VERDICT_H
#define VERDICT_H

/* Where findings go; progress, too, so that it is known how far it came */
void verdict_open(const char *path);

/* One more finding: its kind, one word, and what was seen. What goes wrong with the
 * harness itself is of the kind "setup". */
void verdict_add(const char *kind, const char *format, ...)
__attribute__((format(printf, 2, 3)));

/* As verdict_add(), and the process ends here and now */
_Noreturn void verdict_stop(const char *kind, const char *format, ...)
__attribute__((format(printf, 2, 3)));

/* Progress: the scenario has come to this step */
void verdict_step(const char *step);

/* The last of it: a server that ended well, without this, is no result */
void verdict_end(void);

/* A request, for the list of those that a scenario without notifications makes */
void verdict_request(const char *request);

#endif
