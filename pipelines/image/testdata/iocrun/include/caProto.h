/* Of the header of EPICS Base what repeater.cpp needs. */
#include <cstdint>

#define REPEATER_CONFIRM 17

struct caHdr {
    uint16_t m_cmmd, m_postsize, m_dataType, m_count;
    uint32_t m_cid, m_available;
};
