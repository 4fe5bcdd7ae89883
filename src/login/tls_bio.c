/*
 * tls_bio.c - how OpenSSL reads and writes for a tls_link.
 *
 * Runs in: a login worker; tls_bio_start in the parent.
 */
#include "login/tls_bio.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "login/tls_link.h"

static BIO_METHOD *method;

static int
bio_write(BIO *bio, const char *p, size_t len, size_t *written)
{
	struct tls_link *l = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (len > sizeof(l->out) - l->out_end) {
		BIO_set_retry_write(bio);
		return 0;
	}
	memcpy(l->out + l->out_end, p, len);
	l->out_end += len;
	*written = len;
	return 1;
}

static int
bio_read(BIO *bio, char *p, size_t size, size_t *got)
{
	struct tls_link *l = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (!tls_link_flush(l))
		return 0;
	do
		n = recv(l->fd, p, size, 0);
	while (n == -1 && errno == EINTR);
	*got = n > 0 ? (size_t)n : 0;
	if (n == -1 && errno == EAGAIN)
		BIO_set_retry_read(bio);
	return n > 0;
}

/* All is sent before it matters: "flush" is done by doing nothing. */
static long
bio_control(BIO *bio, int command, long number, void *p)
{
	(void)bio;
	(void)number;
	(void)p;
	return command == BIO_CTRL_FLUSH;
}

void
tls_bio_start(void)
{
	method =
	    BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "popper");
	if (method == NULL)
		return;
	BIO_meth_set_write_ex(method, bio_write);
	BIO_meth_set_read_ex(method, bio_read);
	BIO_meth_set_ctrl(method, bio_control);
}

BIO *
tls_bio_new(struct tls_link *l)
{
	BIO *bio = method == NULL ? NULL : BIO_new(method);

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, l);
	BIO_set_init(bio, 1);
	return bio;
}
