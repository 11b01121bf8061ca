// Bullet's broad phase, faster for the few things that a robot's world has: where something moved, it is compared with each
// other thing instead of by a walk down the trees. The pairs, and their order, stay the same.
#pragma once

#include <algorithm>
#include <vector>

#include "btBulletDynamicsCommon.h"

namespace ours
{
// The pairs that may touch. Where their order must not depend on addresses, it is found again only when pairs changed.
struct Pairs : btHashedOverlappingPairCache
{
	using btHashedOverlappingPairCache::processAllOverlappingPairs;

	virtual void processAllOverlappingPairs(btOverlapCallback* callback, btDispatcher* dispatcher,
											const btDispatcherInfo& info)
	{
		if (!info.m_deterministicOverlappingPairs)
		{
			btHashedOverlappingPairCache::processAllOverlappingPairs(callback, dispatcher, info);
			return;
		}
		btBroadphasePairArray& pairs = getOverlappingPairArray();
		bool same = m_known.size() == size_t(pairs.size());
		m_known.resize(pairs.size());
		for (int i = 0; i < pairs.size(); i++)
		{
			const Place place = {pairs[i].m_pProxy0->m_uniqueId, pairs[i].m_pProxy1->m_uniqueId, i};
			same = same && place.first == m_known[i].first && place.second == m_known[i].second;
			m_known[i] = place;
		}
		if (!same)
		{
			m_sorted = m_known;
			std::sort(m_sorted.begin(), m_sorted.end());
		}
		// As Bullet does it: a pair that the callback gives up leaves its place to the last one.
		for (size_t i = 0; i < m_sorted.size();)
		{
			btBroadphasePair& pair = pairs[m_sorted[i].index];
			if (callback->processOverlap(pair))
			{
				removeOverlappingPair(pair.m_pProxy0, pair.m_pProxy1, dispatcher);
			}
			else
			{
				i++;
			}
		}
	}

private:
	// Numbers of a pair's two things, and its index.
	struct Place
	{
		int first, second, index;
		bool operator<(const Place& other) const
		{
			return first > other.first || (first == other.first && second > other.second);
		}
	};
	std::vector<Place> m_known, m_sorted;
};

struct Broadphase : btDbvtBroadphase
{
	explicit Broadphase(btHashedOverlappingPairCache* pairs) : btDbvtBroadphase(pairs) {}

	virtual void setAabb(btBroadphaseProxy* proxy, const btVector3& low, const btVector3& high, btDispatcher* dispatcher)
	{
		// The stock version wants to clean up when the tree changed, and leaves the pairs to us when they are deferred.
		const bool wanted = m_needcleanup;
		m_needcleanup = false;
		m_deferedcollide = true;
		btDbvtBroadphase::setAabb(proxy, low, high, dispatcher);
		m_deferedcollide = false;
		if (m_needcleanup)
		{
			meet(static_cast<btDbvtProxy*>(proxy));
		}
		m_needcleanup |= wanted;
	}

private:
	// More things than this are left to the trees.
	enum { FEW = 64 };

	// Pairs in the order in which the trees give them.
	struct Walk : btDbvt::ICollide
	{
		Broadphase* m_owner;
		explicit Walk(Broadphase* owner) : m_owner(owner) {}
		void Process(const btDbvtNode* a, const btDbvtNode* b)
		{
			if (a != b)
			{
				m_owner->m_paircache->addOverlappingPair(static_cast<btDbvtProxy*>(a->data), static_cast<btDbvtProxy*>(b->data));
				++m_owner->m_newpairs;
			}
		}
	};

	// Adds the pairs of an object that moved.
	void meet(btDbvtProxy* moved)
	{
		btDbvtProxy* found = 0;
		int touching = 0, added = 0;
		const bool few = m_sets[0].m_leaves + m_sets[1].m_leaves <= FEW;
		for (int stage = 0; few && stage <= STAGECOUNT; stage++)
		{
			for (btDbvtProxy* other = m_stageRoots[stage]; other; other = other->links[1])
			{
				if (other != moved && Intersect(other->leaf->volume, moved->leaf->volume))
				{
					++touching;
					if (!m_paircache->findPair(other, moved) && allowed(other, moved))
					{
						++added;
						found = other;
					}
				}
			}
		}
		// The order only matters from two new pairs on.
		if (few && added < 2)
		{
			m_newpairs += touching;
			if (found)
			{
				m_paircache->addOverlappingPair(found, moved);
			}
			return;
		}
		Walk walk(this);
		m_sets[FIXED_SET].collideTTpersistentStack(m_sets[FIXED_SET].m_root, moved->leaf, walk);
		m_sets[DYNAMIC_SET].collideTTpersistentStack(m_sets[DYNAMIC_SET].m_root, moved->leaf, walk);
	}

	// Whether the two may make a pair.
	bool allowed(btDbvtProxy* a, btDbvtProxy* b) const;
};
}  // namespace ours
