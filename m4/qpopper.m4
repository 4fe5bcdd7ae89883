# qpopper.m4 - the switches of Qpopper's configure.
#
# Each sets the default of a run-time option, written as a line of Qpopper's
# own configuration file (src/conf/qpopper_map.c knows what that means here),
# or is accepted and says why it does nothing.  None is needed: one build can
# do everything.

# _QPOPPER_CHECK(SWITCH, VALUE): a value that such a line can hold.
AC_DEFUN([_QPOPPER_CHECK], [
  AS_CASE(["$2"],
    [yes|''], [AC_MSG_ERROR([$1 needs a value: $1=VALUE])],
    [*[[\'\"\`\\\$]]*],
      [AC_MSG_ERROR([$1: quotes, backslashes and dollars cannot stand in "$2"])])])

# _QPOPPER_LINE(LINE): one line more for the macro QPOPPER_BUILT.
AC_DEFUN([_QPOPPER_LINE], [qpopper_built="$qpopper_built\"$1\\n\" "])

# _QPOPPER_TEXT(SWITCH, VALUE, OPTION)
AC_DEFUN([_QPOPPER_TEXT], [
  AS_IF([test "x$2" != xno], [
    _QPOPPER_CHECK([$1], [$2])
    _QPOPPER_LINE([set $3 = '$2'])])])

# _QPOPPER_TRUTH(SWITCH, VALUE, OPTION)
AC_DEFUN([_QPOPPER_TRUTH], [
  AS_CASE(["$2"],
    [yes], [_QPOPPER_LINE([set $3])],
    [no], [_QPOPPER_LINE([reset $3])],
    [AC_MSG_ERROR([$1=$2: must be yes or no])])])

# QPOPPER_ENABLE(SWITCH, OPTION, ARGUMENT, HELP): --enable-SWITCH=ARGUMENT
AC_DEFUN([QPOPPER_ENABLE], [AC_ARG_ENABLE([$1],
  [AS_HELP_STRING([--enable-$1=$3], [$4])],
  [_QPOPPER_TEXT([--enable-$1], [$enableval], [$2])])])

# QPOPPER_ENABLE_TRUTH(SWITCH, OPTION, HELP): --enable-SWITCH
AC_DEFUN([QPOPPER_ENABLE_TRUTH], [AC_ARG_ENABLE([$1],
  [AS_HELP_STRING([--enable-$1], [$3])],
  [_QPOPPER_TRUTH([--enable-$1], [$enableval], [$2])])])

# QPOPPER_DISABLE_TRUTH(SWITCH, OPTION, HELP): --disable-SWITCH
AC_DEFUN([QPOPPER_DISABLE_TRUTH], [AC_ARG_ENABLE([$1],
  [AS_HELP_STRING([--disable-$1], [$3])],
  [_QPOPPER_TRUTH([--enable-$1], [$enableval], [$2])])])

# QPOPPER_WITH(SWITCH, OPTION, ARGUMENT, HELP): --with-SWITCH=ARGUMENT
AC_DEFUN([QPOPPER_WITH], [AC_ARG_WITH([$1],
  [AS_HELP_STRING([--with-$1=$3], [$4])],
  [_QPOPPER_TEXT([--with-$1], [$withval], [$2])])])

# QPOPPER_IDLE(enable or with, SWITCH, WHY): does nothing.
AC_DEFUN([QPOPPER_IDLE], [m4_if([$1], [enable],
  [AC_ARG_ENABLE([$2], [AS_HELP_STRING([--enable-$2], [does nothing: $3])],
    [AC_MSG_NOTICE([--enable-$2 does nothing: $3])])],
  [AC_ARG_WITH([$2], [AS_HELP_STRING([--with-$2], [does nothing: $3])],
    [AC_MSG_NOTICE([--with-$2 does nothing: $3])])])])

# QPOPPER_SWITCHES: all of them.  Needs --with-pam and --with-gdbm before it.
AC_DEFUN([QPOPPER_SWITCHES], [
qpopper_built=

# Bulletins.
QPOPPER_ENABLE([bulletins], [bulldir], [DIR], [default folder of bulletins])
QPOPPER_ENABLE([bulldb], [bulldb], [DIR],
  [a database there knows who has seen which bulletin])
QPOPPER_ENABLE([popbulldir], [popbulldir], [DIR],
  [USER.popbull files there instead of ~/.popbull])
QPOPPER_WITH([new-bulls], [max-bulletins], [N], [bulletins for new users])
QPOPPER_ENABLE_TRUTH([group-bulls], [group-bulletins],
  [bulletins for groups])

# Sessions.
QPOPPER_ENABLE_TRUTH([auto-delete], [auto-delete],
  [delete what was retrieved])
QPOPPER_DISABLE_TRUTH([update-abort], [update-on-abort],
  [an aborted session deletes nothing, as is usual here])
QPOPPER_ENABLE_TRUTH([servermode], [server-mode], [server mode])
QPOPPER_ENABLE([server-mode-group-include], [group-server-mode], [GROUP],
  [server mode for GROUP])
QPOPPER_ENABLE([server-mode-group-exclude], [group-no-server-mode], [GROUP],
  [no server mode for GROUP])
QPOPPER_ENABLE_TRUTH([fast-update], [fast-update], [fast update])
QPOPPER_WITH([sendmail], [mail-command], [PROGRAM], [program of XTND XMIT])

# Who may log in.
QPOPPER_ENABLE([apop], [apop-file], [FILE], [secrets of auth apop])
AS_CASE(["x$enable_apop"], [x|xno], [], [with_mailauth=$enable_apop])
QPOPPER_ENABLE([popuid], [apop-owner], [USER], [owner of that file])
QPOPPER_WITH([popuid], [apop-owner], [USER], [the same])
QPOPPER_WITH([apopuid], [apop-owner], [USER], [the same])
QPOPPER_ENABLE([nonauth-file], [nonauth-file], [FILE], [who may not log in])
QPOPPER_ENABLE([auth-file], [auth-file], [FILE], [who alone may log in])
AS_CASE(["$with_pam"], [yes|no], [], [
  _QPOPPER_TEXT([--with-pam], [$with_pam], [pam-service])
  with_pam=yes])

# Macros that Qpopper's sources knew, in OS_DEFS, CFLAGS or CPPFLAGS.
AS_CASE([" $OS_DEFS $CFLAGS $CPPFLAGS "],
  [*" -DAPOP_ONLY"*|*" -DSCRAM_ONLY"*],
  [_QPOPPER_LINE([set clear-text-password = never])])
AS_CASE([" $OS_DEFS $CFLAGS $CPPFLAGS "],
  [*" -DCHECK_SHELL"*], [_QPOPPER_LINE([set check-shell])])

# Where mail lies.
QPOPPER_ENABLE([hash-spool], [hash-spool], [1|2],
  [folders by the user's name])
QPOPPER_ENABLE([home-dir-mail], [home-dir-mail], [NAME], [mail is in ~/NAME])
QPOPPER_ENABLE([spool-dir], [spool-dir], [DIR], [mail is in DIR])
QPOPPER_ENABLE([temp-drop-dir], [temp-dir], [DIR],
  [where remains of Qpopper are looked for])
QPOPPER_ENABLE([cache-dir], [cache-dir], [DIR], [does nothing])
QPOPPER_ENABLE_TRUTH([keep-temp-drop], [keep-temp-drop], [does nothing])
QPOPPER_DISABLE_TRUTH([old-spool-loc], [check-old-spool-loc],
  [look for remains in one place only])
QPOPPER_DISABLE_TRUTH([check-old-spool-loc], [check-old-spool-loc],
  [the same])
QPOPPER_DISABLE_TRUTH([hash-dir-check], [check-hash-dir],
  [make no hashed folders])
QPOPPER_DISABLE_TRUTH([check-hash-dir], [check-hash-dir], [the same])
QPOPPER_DISABLE_TRUTH([check-pw-max], [check-password-expired],
  [does nothing: PAM decides])
QPOPPER_DISABLE_TRUTH([check-password-expired], [check-password-expired],
  [the same])
QPOPPER_DISABLE_TRUTH([status], [update-status-headers],
  [write no Status headers])
QPOPPER_ENABLE_TRUTH([uw-kludge], [UW-kludge],
  [hide the message of folder internal data])
QPOPPER_ENABLE_TRUTH([uw-kludge-flag], [UW-kludge], [the same])
QPOPPER_ENABLE_TRUTH([old-style-uid], [old-style-uid],
  [unique-ids of Qpopper 2])

# Log and replies.
AC_ARG_ENABLE([log-login],
  [AS_HELP_STRING([--enable-log-login], [a line for each login])], [
  AS_IF([test "x$enableval" != xno],
    [_QPOPPER_LINE([set log-login = '(v%0) POP login by user \\\"%1\\\" at (%2) %3'])])])
AC_ARG_ENABLE([log-facility],
  [AS_HELP_STRING([--enable-log-facility=LOG_X], [of syslog])], [
  qpopper_word=`AS_ECHO(["$enableval"]) | $SED 's/^LOG_//' |
    tr '[[A-Z]]' '[[a-z]]'`
  _QPOPPER_TEXT([--enable-log-facility], [$qpopper_word], [log-facility])])
QPOPPER_ENABLE_TRUTH([shy], [shy], [tell neither name nor version])
QPOPPER_ENABLE_TRUTH([timing], [timing], [log times])
QPOPPER_DISABLE_TRUTH([reverse-lookup], [reverse-lookup],
  [do not ask for the names of clients])

# Nothing to choose any more.
QPOPPER_IDLE([enable], [scram], [see popper-sasl(8)])
QPOPPER_IDLE([enable], [specialauth], [PAM knows shadow passwords])
QPOPPER_IDLE([enable], [debugging], [the flag -d is always there])
QPOPPER_IDLE([enable], [standalone], [inetd and standalone are one program])
QPOPPER_IDLE([enable], [chunky-writes], [replies are always pooled])
QPOPPER_IDLE([enable], [poppassd], [passwords are changed elsewhere])
QPOPPER_IDLE([enable], [kerberos], [see keytab in popper-sasl(8)])
QPOPPER_IDLE([enable], [ipv6], [IPv6 is always there])
QPOPPER_IDLE([enable], [mysql], [use a PAM module])
QPOPPER_IDLE([enable], [32-bit], [the compiler decides])
QPOPPER_IDLE([enable], [64-bit], [the compiler decides])
QPOPPER_IDLE([with], [openssl], [OpenSSL is always used])
QPOPPER_IDLE([with], [sslplus], [OpenSSL is always used])
QPOPPER_IDLE([with], [drac], [mail servers have SMTP AUTH today])
QPOPPER_IDLE([with], [kerberos5], [see keytab in popper-sasl(8)])
QPOPPER_IDLE([with], [mysqlconfig], [use a PAM module])

# A folder of GDBM.
AS_CASE(["$with_gdbm"], [yes|no], [], [
  CPPFLAGS="$CPPFLAGS -I$with_gdbm/include"
  LDFLAGS="$LDFLAGS -L$with_gdbm/lib"
  with_gdbm=yes])

AC_DEFINE_UNQUOTED([QPOPPER_BUILT], [$qpopper_built""],
  [Lines of Qpopper's configuration that are the defaults of this build.])
])
