mod desk;
mod disks;
mod downloads;
mod uploads;
