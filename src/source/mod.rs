//! Where images are: engines, archives, layouts, directories, standard input.
//!
//! Gives the image's description and the raw bytes of its layers; knows nothing of what is in a layer.
