/* wire.h - a client's connection. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct client;

/** wire_connect(c): begin to connect; the answer comes as an event. */
void wire_connect(struct client *);

/** wire_event(c, events): go on, with what epoll said. */
void wire_event(struct client *, uint32_t);

/** wire_send(c, word, rest): send the command ${word}${rest}. */
void wire_send(struct client *, const char *word, const char *rest);

/** wire_ask(c, word, number, rest): put the command ${word}${number}${rest} in
 * the buffer, see wire_flush. */
void wire_ask(
    struct client *, const char *word, uint32_t number, const char *rest);

/** wire_room(c): octets free in that buffer. */
size_t wire_room(const struct client *);

/** wire_flush(c): send the buffer, now or when there is room. */
void wire_flush(struct client *);

/** wire_close(c): close the connection if it is open. */
void wire_close(struct client *);

#endif
