//! One file for each output format. A reporter prints what it is given and filters nothing.
