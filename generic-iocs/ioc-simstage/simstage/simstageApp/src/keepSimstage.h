/*
 * Where the stages stand, kept in a file: a stage whose IOC was restarted is
 * where it was, as one with an absolute encoder is.
 */
#ifndef INC_keepSimstage_H
#define INC_keepSimstage_H

#ifdef __cplusplus
extern "C" {
#endif

/* Puts the stages where the file says they were, and from now on writes it when
 * they come to rest and when the IOC ends. Without a file yet, as at a first
 * start, the stages stay where they are. NULL, or why it can't be done. */
const char *simstageKeep(const char *file);

#ifdef __cplusplus
}
#endif
#endif
