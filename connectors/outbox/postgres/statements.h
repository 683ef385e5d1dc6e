/// Every statement of the relay's session. The session switches sequential and bitmap scans, sorts,
/// hash and merge joins off: each of these statements has an index to go by, and no statistics may
/// talk the planner out of it. A queue is empty when it is analyzed and full a minute later; with a
/// plan for an empty table one seal took 20 s instead of 10 ms.
#pragma once

#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres::statements {

extern const Statement kBegin;
extern const Statement kCommit;
extern const Statement kRollback;
/// For what may be lost in a crash of the server, because it is told again.
extern const Statement kRelaxed;

extern const Statement kTryLease;
extern const Statement kLeaseHolder;
extern const Statement kDropLease;
extern const Statement kPutBack;
extern const Statement kAllPutBack;
extern const Statement kLead;
extern const Statement kMint;
extern const Statement kRemember;
extern const Statement kFormer;
extern const Statement kTold;
extern const Statement kSchema;
extern const Statement kKeyspacesEver;
extern const Statement kFence;

/// Whether there is a row, and whether the fence would hold; takes no lock.
extern const Statement kIdle;
extern const Statement kSnapshotHolder;
extern const Statement kAnyRow;
extern const Statement kTake;
extern const Statement kDiscard;
extern const Statement kLoadTotals;
extern const Statement kStoreBatch;
extern const Statement kStoreTotals;
extern const Statement kParkTaken;
extern const Statement kDeleteTaken;
extern const Statement kAdvance;
extern const Statement kSaveTotals;
extern const Statement kSweep;
extern const Statement kSwept;

extern const Statement kNewest;
extern const Statement kWaiting;
extern const Statement kSetAside;
extern const Statement kParked;
extern const Statement kMarkParked;
extern const Statement kRetry;
extern const Statement kDiscardParked;
extern const Statement kDiscarded;
extern const Statement kForgetDiscarded;
extern const Statement kDropBatch;
extern const Statement kParkUnsealed;
/// For answers that are large or slow: the client watches the progress.
extern const Statement kUntimed;

extern const Statement kUnconfirmed;
extern const Statement kRetained;
extern const Statement kConfirm;
extern const Statement kForget;
extern const Statement kSetContext;
extern const Statement kSetClock;
extern const Statement kContexts;
extern const Statement kSweepMark;
extern const Statement kSweepContexts;
extern const Statement kStatus;

}  // namespace tributary::postgres::statements
