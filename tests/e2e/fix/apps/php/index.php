<?php echo "hello from php ", mb_strtoupper("ok"), "\n";
