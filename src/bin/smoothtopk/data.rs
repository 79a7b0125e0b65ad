//! Examples and labels from .npz, .npy and image folders.
