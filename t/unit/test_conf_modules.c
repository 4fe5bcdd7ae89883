/* test_conf_modules.c - src/conf/modules.c, with a loader that loads nothing */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "conf/modules.h"
#include "conf/overlay.h"
#include "forgetful.h"

struct fake_conf {
	const char *path;
	uint64_t size;
	bool loud;
};

static const struct popper_option fake_options[] = {
	POPPER_OPTION(TEXT, struct fake_conf, path, "path", "/dev/null", ""),
	POPPER_OPTION(OCTETS, struct fake_conf, size, "size", "10k", ""),
	POPPER_OPTION(BOOL, struct fake_conf, loud, "loud", "no", ""),
	POPPER_OPTIONS_END
};

/* What is in them is never looked at here. */
static const char something[] = "";

static const struct popper_module fakes[] = {
	{ .name = "one",
	    .conf_size = sizeof(struct fake_conf),
	    .options = fake_options,
	    .auth = (const void *)something },
	{ .name = "two",
	    .conf_size = sizeof(struct fake_conf),
	    .options = fake_options,
	    .drop = (const void *)something,
	    .ext = (const void *)something },
	{ .name = "bare", .auth = (const void *)something },
};

static unsigned loads;

static const struct popper_module *
load(const char *kind, const char *name, struct popper_error *e)
{
	loads++;
	for (size_t i = 0; i < sizeof(fakes) / sizeof(*fakes); i++)
		if (strcmp(name, fakes[i].name) == 0)
			return &fakes[i];
	error_set(e, POPPER_PERMANENT, "no %s %s", kind, name);
	return NULL;
}

static struct used_modules used;
static struct popper_error e;
static char path[] = "/tmp/popper-unit-XXXXXX";
static int file = -1;

static int
make_file(void **state)
{
	(void)state;
	file = mkstemp(path);
	return file == -1 ? -1 : 0;
}

static int
remove_file(void **state)
{
	(void)state;
	fd_close(&file);
	return unlink(path);
}

static const char *overlay;

static int
read_text(const char *text, const char *kind)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(fd_write_all(file, text, strlen(text)), 0);
	memset(&e, 0, sizeof(e));
	loads = 0;
	return modules_read(
	    &(struct modules_source){ path, overlay }, kind, load, &used, &e);
}

static const struct fake_conf *
conf(size_t i)
{
	return used.used[i].conf;
}

static void
refused(const char *text, const char *kind, unsigned line, const char *why)
{
	char wanted[600];

	snprintf(wanted, sizeof(wanted), "%s:%u: %s", path, line, why);
	assert_int_equal(read_text(text, kind), -1);
	assert_string_equal(e.text, wanted);
}

static void
keeps_the_order(void **state)
{
	(void)state;
	assert_int_equal(
	    read_text("auth bare { } auth one { size = 1M loud = yes }\n"
		      "auth one { path = \"/x\" }",
		"auth"),
	    0);
	assert_int_equal(used.count, 3);
	assert_ptr_equal(used.used[0].module, &fakes[2]);
	assert_int_equal(conf(1)->size, 1 << 20);
	assert_true(conf(1)->loud);
	assert_string_equal(conf(1)->path, "/dev/null");
	/* The same module again has options of its own. */
	assert_ptr_equal(used.used[2].module, used.used[1].module);
	assert_int_equal(conf(2)->size, 10 << 10);
	assert_false(conf(2)->loud);
	assert_string_equal(conf(2)->path, "/x");
}

static void
leaves_other_kinds_alone(void **state)
{
	(void)state;
	assert_int_equal(
	    read_text("auth nobody { any = thing }\ndrop two { }", "drop"), 0);
	assert_int_equal(used.count, 1);
	assert_int_equal(loads, 1);
	assert_int_equal(read_text("drop two { }", "ext"), 0);
	assert_int_equal(used.count, 0);
	assert_int_equal(read_text("", "auth"), 0);
	assert_int_equal(used.count, 0);
}

static void
names_the_wrong_word(void **state)
{
	(void)state;
	refused(
	    "drops two { }", "drop", 1, "\"drops\": must be auth, drop or ext");
	refused("\nauth none { }", "auth", 2, "no auth none");
	refused("drop one { }", "drop", 1,
	    "module \"one\" is of another kind than drop");
	refused("auth one {\npathh = x\n}", "auth", 2,
	    "one has no option \"pathh\"; it has \"path\"");
	refused("auth one { xyzzy = x }", "auth", 1,
	    "one has no option \"xyzzy\"; popper --modules lists them");
	refused("auth bare { path = x }", "auth", 1,
	    "bare has no option \"path\"; popper --modules lists them");
	refused("auth one { size = big }", "auth", 1,
	    "size = \"big\": must be octets, as 10, 10k, 10M or 10G");
	refused("path = x\nauth one { }", "auth", 1,
	    "\"path\" stands in no module's section");
	refused("auth one { }\npath = x", "auth", 2,
	    "\"path\" stands in no module's section");
}

static void
has_an_end(void **state)
{
	char text[1024] = "";

	(void)state;
	for (int i = 0; i < MODULES_MAX; i++)
		strcat(text, "auth bare { }\n");
	assert_int_equal(read_text(text, "auth"), 0);
	assert_int_equal(used.count, MODULES_MAX);
	strcat(text, "auth bare { }\n");
	refused(text, "auth", 17, "more than 16 modules of kind auth");
}

/* --- What is laid over. --- */

static struct overlay over;

static void
lay(enum overlay_mode mode, const char *kind, const char *name,
    const char *option, const char *value)
{
	const struct overlay_line l = { .mode = mode,
		.origin = "q:7",
		.kind = kind,
		.name = name,
		.option = option,
		.value = value };

	if (overlay_add(&over, &l, &e) == -1)
		fail_msg("%s", e.text);
	overlay = over.text;
}

static int
lay_nothing(void **state)
{
	(void)state;
	overlay_clear(&over);
	overlay = NULL;
	return 0;
}

static void
lays_options_over(void **state)
{
	(void)state;
	lay(OVERLAY_DEFAULT, "auth", "one", "size", "3");
	lay(OVERLAY_SET, "auth", "one", "path", "/o\tver");
	lay(OVERLAY_SET, "drop", "two", "path", "/wrong");
	assert_int_equal(read_text("auth one { path = \"/x\" }\n"
				   "auth bare { } auth one { size = 4 }",
			     "auth"),
	    0);
	assert_int_equal(used.count, 3);
	assert_string_equal(conf(0)->path, "/o\tver");
	assert_int_equal(conf(0)->size, 3);
	assert_string_equal(conf(2)->path, "/o\tver");
	assert_int_equal(conf(2)->size, 4);
}

static void
uses_modules_of_its_own(void **state)
{
	(void)state;
	lay(OVERLAY_DEFAULT, "auth", "one", "loud", "yes");
	lay(OVERLAY_SET, "auth", "bare", "nothing", "to see");
	lay(OVERLAY_USE, "auth", "one", NULL, NULL);
	lay(OVERLAY_OPEN, "ext", "two", "size", "5");
	lay(OVERLAY_SET, "ext", "two", "path", "/ext");
	lay(OVERLAY_OPEN, "ext", "two", "size", "6");
	assert_int_equal(read_text("drop two { }", "ext"), 0);
	assert_int_equal(used.count, 1);
	assert_int_equal(conf(0)->size, 6);
	assert_string_equal(conf(0)->path, "/ext");
	assert_int_equal(read_text("auth one { size = 1 }", "auth"), 0);
	assert_int_equal(used.count, 1);
	assert_int_equal(conf(0)->size, 1);
	assert_int_equal(read_text("drop two { }", "auth"), 0);
	assert_int_equal(used.count, 1);
	assert_true(conf(0)->loud);
}

/* Two of a kind, while defaults are looked up for each. */
static void
replaces_the_file(void **state)
{
	(void)state;
	lay(OVERLAY_DEFAULT, "auth", "one", "size", "9");
	lay(OVERLAY_NO_FILE, NULL, NULL, NULL, NULL);
	lay(OVERLAY_USE, "auth", "one", NULL, NULL);
	lay(OVERLAY_USE, "auth", "bare", NULL, NULL);
	assert_int_equal(read_text("nonsense", "auth"), 0);
	assert_int_equal(used.count, 2);
	assert_ptr_equal(used.used[0].module, &fakes[0]);
	assert_ptr_equal(used.used[1].module, &fakes[2]);
	assert_int_equal(conf(0)->size, 9);
}

static void
names_where_a_wrong_option_stands(void **state)
{
	(void)state;
	lay(OVERLAY_OPEN, "ext", "two", "patch", "x");
	assert_int_equal(read_text("", "ext"), -1);
	assert_string_equal(
	    e.text, "q:7: two has no option \"patch\"; it has \"path\"");
	lay_nothing(NULL);
	lay(OVERLAY_OPEN, "ext", "two", "size", "many");
	assert_int_equal(read_text("", "ext"), -1);
	assert_string_equal(e.text,
	    "q:7: size = \"many\": must be octets, as 10, 10k, 10M or 10G");
	lay_nothing(NULL);
	lay(OVERLAY_USE, "ext", "nosuch", NULL, NULL);
	assert_int_equal(read_text("", "ext"), -1);
	assert_string_equal(e.text, "q:7: no ext nosuch");
}

static void
bounds_the_overlay(void **state)
{
	static char much[4096];
	struct overlay_line l = { .mode = OVERLAY_SET,
		.origin = "o",
		.kind = "ext",
		.name = "two",
		.option = "path",
		.value = much };
	size_t len;

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	assert_int_equal(overlay_add(&over, &l, &e), -1);
	assert_int_equal(over.len, 0);
	assert_string_equal(over.text, "");
	l.value = "a\nb";
	assert_int_equal(overlay_add(&over, &l, &e), -1);
	l.value = "b";
	l.origin = "a\tb";
	assert_int_equal(overlay_add(&over, &l, &e), -1);
	l.origin = "o";
	much[1000] = '\0';
	l.value = much;
	while (overlay_add(&over, &l, &e) == 0)
		len = over.len;
	assert_int_equal(over.len, len);
	assert_int_equal(strlen(over.text), len);
	assert_true(len > OVERLAY_MAX - 1100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order),
		cmocka_unit_test(leaves_other_kinds_alone),
		cmocka_unit_test(names_the_wrong_word),
		cmocka_unit_test(has_an_end),
		cmocka_unit_test_setup(lays_options_over, lay_nothing),
		cmocka_unit_test_setup(uses_modules_of_its_own, lay_nothing),
		cmocka_unit_test_setup(replaces_the_file, lay_nothing),
		cmocka_unit_test_setup(
		    names_where_a_wrong_option_stands, lay_nothing),
		cmocka_unit_test_setup(bounds_the_overlay, lay_nothing),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
