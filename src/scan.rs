//! The whole way from a reference to a report.
