/*
 * title.h - what ps(1) shows of a session.
 */
#ifndef SESSION_TITLE_H
#define SESSION_TITLE_H

/**
 * title_room(argc, argv):
 * The octets of all arguments may be written over from now on.
 */
void title_room(int argc, char **argv);

/** title_set(user, address): "popper-session: user [address]", cut to the room
 * there is; nothing without room. */
void title_set(const char *user, const char *address);

/** title_doing(context, keyword): behind that ": keyword", the command that is
 * run, or nothing for NULL: the session waits.  "": some other command. */
void title_doing(void *context, const char *keyword);

#endif
