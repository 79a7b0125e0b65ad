//! A RUN folder: manifest, counts and radii, resumable after a kill at any moment.
