//! Fills Argon2's memory; RFC 9106, sections 3.2 and 3.4.
//!
//! The memory is a table of lanes, cut across into four slices. The parts that arise, segments, are filled
//! at the same time within a slice, because no block of one is made from another's. So a slice is kept as
//! one piece here, with its segments one after another: each thread has its own to write to, and all have
//! the other slices to read.

use djauth_pbkdf2::argon2::{Block, Kernel};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::instance::{Instance, SLICES, Variety, Version};
use crate::pace;

/// The words of a block that name other blocks.
const ADDRESSES: usize = 128;
/// The blocks of a segment that are not made from others, in the first slice of the first pass.
pub(super) const GIVEN: usize = 2;

/// Where a segment is, and what it is made from.
struct Segment<'a> {
    instance: &'a Instance,
    kernel: Kernel,
    pass: usize,
    slice: usize,
    lane: usize,
    /// The slices before its own.
    before: &'a [Block],
    /// Those after it, from the pass before.
    after: &'a [Block],
}

/// Fills all of the memory, in which the first blocks of each lane are given.
pub(super) fn fill(instance: &Instance, memory: &mut [Block], kernel: Kernel) {
    for pass in 0..instance.passes() {
        for slice in 0..SLICES {
            fill_slice(instance, memory, kernel, (pass, slice));
        }
    }
}

fn fill_slice(
    instance: &Instance,
    memory: &mut [Block],
    kernel: Kernel,
    (pass, slice): (usize, usize),
) {
    let length = instance.lanes() * instance.segment();
    let (before, rest) = memory.split_at_mut(slice * length);
    let (own, after) = rest.split_at_mut(length);
    let (before, after) = (&*before, &*after);
    let segment = |lane| Segment {
        instance,
        kernel,
        pass,
        slice,
        lane,
        before,
        after,
    };
    if instance.lanes() == 1 {
        segment(0).fill(own);
    } else {
        let segments = own.par_chunks_exact_mut(instance.segment()).enumerate();
        segments.for_each(|(lane, own)| segment(lane).fill(own));
    }
}

impl Segment<'_> {
    fn fill(&self, own: &mut [Block]) {
        let mut addresses = self.names_blocks_by_number().then(|| Addresses::of(self));
        let mut start = self.given();
        while start < own.len() {
            let end = own.len().min(start + pace::BLOCKS);
            for index in start..end {
                self.make(own, index, addresses.as_mut());
            }
            pace::offer();
            start = end;
        }
    }

    /// How many blocks are there already.
    fn given(&self) -> usize {
        if (self.pass, self.slice) == (0, 0) {
            GIVEN
        } else {
            0
        }
    }

    /// Makes a block from the one before it and another one.
    fn make(&self, own: &mut [Block], index: usize, addresses: Option<&mut Addresses>) {
        let (done, rest) = own.split_at_mut(index);
        let previous = done.last().unwrap_or_else(|| self.end_of_last_slice());
        let number = match addresses {
            Some(addresses) => addresses.get(index, self.kernel),
            None => previous.words()[0],
        };
        let other = self.named(number, done);
        if self.pass > 0 && self.instance.version == Version::V0x13 {
            self.kernel.compress_over(previous, other, &mut rest[0]);
        } else {
            self.kernel.compress(previous, other, &mut rest[0]);
        }
    }

    /// Whether the other block is the same for all passwords: memory that nobody can watch by its use.
    fn names_blocks_by_number(&self) -> bool {
        match self.instance.variety {
            Variety::D => false,
            Variety::I => true,
            Variety::Id => self.pass == 0 && self.slice < SLICES / 2,
        }
    }

    fn end_of_last_slice(&self) -> &Block {
        let last = (self.slice + SLICES - 1) % SLICES;
        let end = self.instance.segment() - 1;
        self.at(last, self.lane, end, &[])
    }

    /// The block that a number names, of those that are there: in this lane all but the last one, in
    /// others what is not of this slice.
    fn named<'a>(&'a self, number: u64, done: &'a [Block]) -> &'a Block {
        let length = self.instance.segment();
        let lane = match self.given() {
            0 => (number >> 32) as usize % self.instance.lanes(),
            _ => self.lane,
        };
        let slices = if self.pass == 0 {
            self.slice
        } else {
            SLICES - 1
        };
        let here = if lane == self.lane {
            done.len()
        } else {
            done.len().min(1)
        };
        let among = slices * length + here - 1;
        let oldest = if self.pass == 0 {
            0
        } else {
            (self.slice + 1) * length
        };
        let position = (oldest + from_the_oldest(number, among)) % (SLICES * length);
        self.at(position / length, lane, position % length, done)
    }

    fn at<'a>(&'a self, slice: usize, lane: usize, index: usize, done: &'a [Block]) -> &'a Block {
        let length = self.instance.segment();
        let place = |slice: usize| (slice * self.instance.lanes() + lane) * length + index;
        if slice == self.slice {
            &done[index]
        } else if slice < self.slice {
            &self.before[place(slice)]
        } else {
            &self.after[place(slice - self.slice - 1)]
        }
    }
}

/// The younger, the likelier.
fn from_the_oldest(number: u64, among: usize) -> usize {
    let low = number & u64::from(u32::MAX);
    let squared = (low * low) >> 32;
    among - 1 - ((among as u64 * squared) >> 32) as usize
}

/// Numbers that come from where a segment is, and from nothing else.
struct Addresses {
    input: Block,
    block: Block,
    /// How many blocks of them there were.
    made: usize,
}

impl Addresses {
    fn of(segment: &Segment<'_>) -> Self {
        let instance = segment.instance;
        let mut input = Block::ZERO;
        let known = [
            segment.pass,
            segment.lane,
            segment.slice,
            instance.blocks(),
            instance.passes(),
            instance.variety as usize,
        ];
        for (word, known) in input.words_mut().iter_mut().zip(known) {
            *word = known as u64;
        }
        Self {
            input,
            block: Block::ZERO,
            made: 0,
        }
    }

    /// That of one block after another.
    fn get(&mut self, index: usize, kernel: Kernel) -> u64 {
        if index / ADDRESSES == self.made {
            self.made += 1;
            self.input.words_mut()[6] = self.made as u64;
            let mut once = Block::ZERO;
            kernel.compress(&Block::ZERO, &self.input, &mut once);
            kernel.compress(&Block::ZERO, &once, &mut self.block);
        }
        self.block.words()[index % ADDRESSES]
    }
}
