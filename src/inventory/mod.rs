//! The merged image: live and buried files, who owns a path, packages, users.
