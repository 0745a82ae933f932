mod agreement;
mod told;
