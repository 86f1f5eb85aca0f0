//! The judgements: what of the inventory does not belong in a final image.
