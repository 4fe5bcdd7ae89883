# popper.m4 - what configure.ac needs beyond Autoconf itself.

# POPPER_CFLAGS(VARIABLE, FLAGS): append those FLAGS that the compiler takes.
AC_DEFUN([POPPER_CFLAGS], [
  popper_save=$CFLAGS
  for popper_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([popper_var], [popper_cv_flag_$popper_flag])
    AC_CACHE_CHECK([whether $CC takes $popper_flag], [popper_var], [
      CFLAGS="$popper_save -Werror $popper_flag"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
        [AS_VAR_SET([popper_var], [yes])], [AS_VAR_SET([popper_var], [no])])
      CFLAGS=$popper_save])
    AS_VAR_IF([popper_var], [yes], [AS_VAR_APPEND([$1], [" $popper_flag"])])
    AS_VAR_POPDEF([popper_var])
  done
  AC_SUBST([$1])
])

# POPPER_LDFLAGS(VARIABLE, FLAGS): the same for the linker.
AC_DEFUN([POPPER_LDFLAGS], [
  popper_save=$LDFLAGS
  for popper_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([popper_var], [popper_cv_link_$popper_flag])
    AC_CACHE_CHECK([whether the linker takes $popper_flag], [popper_var], [
      LDFLAGS="$popper_save $popper_flag"
      AC_LINK_IFELSE([AC_LANG_PROGRAM()],
        [AS_VAR_SET([popper_var], [yes])], [AS_VAR_SET([popper_var], [no])])
      LDFLAGS=$popper_save])
    AS_VAR_IF([popper_var], [yes], [AS_VAR_APPEND([$1], [" $popper_flag"])])
    AS_VAR_POPDEF([popper_var])
  done
  AC_SUBST([$1])
])
