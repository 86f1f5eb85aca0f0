<?php echo "hello from php and libpq ", PGSQL_LIBPQ_VERSION, "\n";
