//! The integration tests: one binary. `chats` read as chats; `doors` and `payloads` knock with raw requests; `crashes`
//! kills processes at every boundary; `faults` has everything fail that can; `protocol` is what keeps effects single and
//! turns fair; `rebuild` empties the store; `outage` takes Redis away; `meter` is about what can be measured;
//! `oversight` is what operators see and do, `pages` what the console shows of it, `console` how they sign in and act in a
//! browser; `store` is the contract of both stores; `scale` is about many links and inputs; `sockets` is Socket Mode; `tenancy` is about several workspaces and
//! organisations; `manifests` is about the files an operator installs from; `product` starts the built binary; `house`
//! keeps the house.

#[cfg(test)]
mod chats;
#[cfg(test)]
mod console;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod house;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod meter;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod oversight;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod product;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod rebuild;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tenancy;
#[cfg(test)]
mod words;
