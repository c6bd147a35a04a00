#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include <epicsGuard.h>
#include <epicsTime.h>
#include <pv/channelProviderLocal.h>
#include <pv/ntndarray.h>

#include "image.h"

namespace pvd = epics::pvData;
namespace pvdb = epics::pvDatabase;

namespace {

constexpr int period = 256; /* of the ramp, in pixels */

/* One field of a structure that has it. */
template <typename T> std::shared_ptr<T> field(pvd::PVStructure &in, const char *name)
{
    return in.getSubFieldT<T>(name);
}

void stamp(pvd::PVStructure &frame, const char *name, const epicsTimeStamp &now)
{
    auto time = field<pvd::PVStructure>(frame, name);
    field<pvd::PVLong>(*time, "secondsPastEpoch")->put(now.secPastEpoch + POSIX_TIME_AT_EPICS_EPOCH);
    field<pvd::PVInt>(*time, "nanoseconds")->put(now.nsec);
}

/* One dimension as NTNDArray describes it. */
pvd::PVStructurePtr dimension(const pvd::PVStructureArray &all, int size, int offset, int fullSize)
{
    auto one = pvd::getPVDataCreate()->createPVStructure(all.getStructureArray()->getStructure());
    field<pvd::PVInt>(*one, "size")->put(size);
    field<pvd::PVInt>(*one, "offset")->put(offset);
    field<pvd::PVInt>(*one, "fullSize")->put(fullSize);
    field<pvd::PVInt>(*one, "binning")->put(1);
    field<pvd::PVBoolean>(*one, "reverse")->put(false);
    return one;
}

} // namespace

Scene::Scene(int sensorWidth, double exposure) : ramp(sensorWidth + period)
{
    expose(exposure);
}

void Scene::expose(double seconds)
{
    for (std::size_t i = 0; i < ramp.size(); i++)
        ramp[i] = epicsUInt8(std::min(255.0, i % period * seconds / fullExposure));
}

void Scene::draw(epicsUInt8 *pixels, const Region &region, epicsUInt64 frame) const
{
    for (int row = 0; row < region.height; row++, pixels += region.width) {
        std::size_t shift = (region.y + row + frame) % period;
        std::memcpy(pixels, &ramp[shift + region.x], region.width);
    }
}

Image::Image(const std::string &pvName, const std::string &descriptor, int width, int height)
    : name(pvName), sensorWidth(width), sensorHeight(height),
      frame(epics::nt::NTNDArray::createBuilder()->addDescriptor()->addTimeStamp()->addAlarm()->createPVStructure()),
      record(pvdb::PVRecord::create(name, frame))
{
    field<pvd::PVString>(*frame, "descriptor")->put(descriptor);
    pvdb::getChannelProviderLocal(); /* through which a pvAccess server finds the record */
    if (!record || !pvdb::PVDatabase::getMaster()->addRecord(record))
        throw std::invalid_argument("there is a PV of the image's name already");
}

/* Says how large the frame is and where it lies on the sensor. */
void Image::describe(const Region &r)
{
    if (std::memcmp(&r, &described, sizeof r) == 0)
        return;
    auto dimensions = field<pvd::PVStructureArray>(*frame, "dimension");
    pvd::PVStructureArray::svector both(2);
    both[0] = dimension(*dimensions, r.width, r.x, sensorWidth);
    both[1] = dimension(*dimensions, r.height, r.y, sensorHeight);
    dimensions->replace(pvd::freeze(both));
    for (const char *size : {"compressedSize", "uncompressedSize"})
        field<pvd::PVLong>(*frame, size)->put(r.pixels());
    described = r;
}

double Image::post(const Scene &scene, const Region &region, epicsUInt64 number)
{
    pvd::shared_vector<epicsUInt8> pixels(region.pixels());
    scene.draw(pixels.data(), region, number);
    double mean = std::accumulate(pixels.begin(), pixels.begin() + region.width, 0.0) / region.width;
    /* A new array for each frame: those before may still wait for a client. */
    auto bytes = pvd::getPVDataCreate()->createPVScalarArray<pvd::PVUByteArray>();
    bytes->replace(pvd::freeze(pixels));
    epicsTimeStamp now;
    epicsTimeGetCurrent(&now);

    epicsGuard<pvdb::PVRecord> guard(*record);
    record->beginGroupPut();
    describe(region);
    field<pvd::PVUnion>(*frame, "value")->set("ubyteValue", bytes);
    field<pvd::PVInt>(*frame, "uniqueId")->put(pvd::int32(number));
    stamp(*frame, "timeStamp", now);
    stamp(*frame, "dataTimeStamp", now);
    record->endGroupPut();
    return mean;
}
