//! The process's own figures, by the names that every exporter gives them
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use prometheus_client::registry::Registry;

#[cfg(not(target_os = "linux"))]
pub fn register(_: &mut Registry) {}

#[cfg(target_os = "linux")]
pub fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(linux::Process));
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::{ProcResult, boot_time_secs, page_size, process, ticks_per_second};
    use prometheus_client::{
        collector::Collector,
        encoding::{DescriptorEncoder, EncodeMetric},
        metrics::{counter::ConstCounter, gauge::ConstGauge},
        registry::Unit,
    };
    use std::fmt;

    #[derive(Debug)]
    pub struct Process;

    struct Figures {
        cpu_seconds: f64,
        resident: u64,
        virtual_size: u64,
        files: u64,
        began: f64,
    }

    #[expect(clippy::cast_precision_loss, reason = "ticks of a process fit")]
    fn read() -> ProcResult<Figures> {
        let process = process::Process::myself()?;
        let stat = process.stat()?;
        let ticks = ticks_per_second() as f64;
        Ok(Figures {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident: stat.rss * page_size(),
            virtual_size: stat.vsize,
            files: process.fd_count()? as u64,
            began: boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
        })
    }

    impl Collector for Process {
        fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
            // Where it can't be read there are no such figures.
            let Ok(now) = read() else { return Ok(()) };
            let mut say = |name, help, unit: Option<&Unit>, metric: &dyn EncodeMetric| {
                metric.encode(encoder.encode_descriptor(name, help, unit, metric.metric_type())?)
            };
            let (seconds, bytes) = (Some(&Unit::Seconds), Some(&Unit::Bytes));
            say("process_cpu", "Processor time used.", seconds, &ConstCounter::new(now.cpu_seconds))?;
            say("process_resident_memory", "Memory in use.", bytes, &ConstGauge::new(now.resident))?;
            say("process_virtual_memory", "Address space.", bytes, &ConstGauge::new(now.virtual_size))?;
            say("process_open_fds", "Open file descriptors.", None, &ConstGauge::new(now.files))?;
            say("process_start_time", "When it began, since 1970.", seconds, &ConstGauge::new(now.began))
        }
    }
}
