/*
 * language.h - the language of the replies of this process (RFC 6856
 * section 3).
 *
 * A process serves one connection, so its language is the process's: English
 * until LANG was given.  Catalogues are read by the warm parent; choosing a
 * language touches no file.
 */
#ifndef PROTO_LANGUAGE_H
#define PROTO_LANGUAGE_H

#include <stdbool.h>

#include <popper/slice.h>

/* Marks a reply's text for xgettext(1) where it is not an argument of
 * reply_ok() or reply_refuse(). */
#define N_(text) text

/**
 * language_load(folder, preferred):
 * Read the catalogues of all languages that popper was built with,
 * ${folder}/de/LC_MESSAGES/popper.mo and so on.  A language whose catalogue is
 * missing or damaged is left out and logged.  ${preferred} is what "LANG *"
 * selects, if it is there: it must live as long as the process.
 */
void language_load(const char *folder, const char *preferred);

/**
 * language_match(range):
 * The tag of the first language in the basic range ${range}, in any case
 * (RFC 4647 section 3.3.1), of the preferred one for "*", or NULL.
 */
const char *language_match(struct popper_slice range);

/** language_use(tag): speak ${tag} from now on; English for "" and for one
 * that is not there. */
void language_use(const char *tag);

/** language_now(): the tag of the language in force. */
const char *language_now(void);

/** language_tag(i): of language ${i}, counted from 0, or NULL.
 * language_name(i): what it calls itself, in UTF-8. */
const char *language_tag(unsigned i);
const char *language_name(unsigned i);

/** language_text(text): ${text} in the language in force, or ${text} itself.
 * The translation of a format has the same conversions. */
const char *language_text(const char *text) __attribute__((format_arg(1)));

#endif
