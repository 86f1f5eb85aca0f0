require "mkmf"

abort "there is no sqlite3" unless have_library("sqlite3", "sqlite3_libversion", "sqlite3.h")
create_makefile("greet/greet")
