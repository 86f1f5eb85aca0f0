//! The data of `policies/`, checked and compiled once.
