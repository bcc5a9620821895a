//! Starts the real binary as a process, in folders of its own and on free ports.

mod accounts;
mod browser;
mod commands;
mod faults;
mod first_run;
mod pseudo_terminal;
mod serving;
mod settings;
mod site;
